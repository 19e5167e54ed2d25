// Adam in plain JavaScript.

/** Adam over arrays that stay the same; the result makes a step. */
export function adam(parameters: readonly Float32Array[], gradients: readonly Float32Array[], lr: number): () => void {
  const [beta1, beta2, eps] = [0.9, 0.999, 1e-8];
  const state = parameters.map((p, i) => ({
    p,
    g: gradients[i] ?? p,
    m: new Float32Array(p.length),
    v: new Float32Array(p.length),
  }));
  let count = 0;
  return () => {
    count++;
    const rate = lr / (1 - beta1 ** count);
    const root = Math.sqrt(1 - beta2 ** count);
    for (const { p, g, m, v } of state) {
      for (let i = 0; i < p.length; i++) {
        const gi = g[i] as number;
        const mi = beta1 * (m[i] as number) + (1 - beta1) * gi;
        const vi = beta2 * (v[i] as number) + (1 - beta2) * gi * gi;
        m[i] = mi;
        v[i] = vi;
        p[i] = (p[i] as number) - (rate * mi) / (Math.sqrt(vi) / root + eps);
      }
    }
  };
}
