/**
 * The source of a function `train` for programs of tests that run elsewhere: twenty steps of a small module, `m`. The program has
 * imported the SDK as `k`.
 */
export const trainingProgram = `
  const m = k.module(k.seq("sequential", ["linear", 4, 64], "relu", ["linear", 64, 2]));
  const train = () => {
    const o = k.opt("adam", m);
    for (let i = 0; i < 20; i++) {
      const y = k.forward(m, [[1, 2, 3, 4]]);
      const l = k.mse(y, [[1, 2]]);
      k.backward(l);
      k.step(o, { zerograd: true });
      k.free(y, l);
    }
    k.free(o);
  };
`;
