// Four problems of NIST's Statistical Reference Datasets: data, starts, and certified results with eleven digits.
// https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml; works of the United States government, in the public domain.

import type { Tensor } from "@stepwell/sdk";

/** Observations, and a function with parameters that describes them. */
export interface Problem {
  readonly name: string;
  /** NIST's level of difficulty. */
  readonly difficulty: "lower" | "average" | "higher";
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** Start 2 of NIST. */
  readonly start: readonly number[];
  readonly certified: readonly number[];
  /** The certified sum of squared residuals. */
  readonly residual: number;
  /** The function: values at `x` for parameters `b`. */
  readonly predict: (b: readonly Tensor[], x: Tensor) => Tensor;
}

/** `b[0] + b[1] x + b[2] x² + ...` */
const polynomial = (b: readonly Tensor[], x: Tensor): Tensor =>
  b.slice(0, -1).reduceRight((sum, coefficient) => sum.mul(x).add(coefficient), b.at(-1) as Tensor);

type Two = readonly [Tensor, Tensor];
type Four = readonly [Tensor, Tensor, Tensor, Tensor];

/** Monomolecular adsorption in dentistry: `b1 (1 - exp(-b2 x))`. */
const misra1a: Problem = {
  name: "Misra1a",
  difficulty: "lower",
  x: [77.6, 114.9, 141.1, 190.8, 239.9, 289, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760],
  y: [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.4, 75.47, 81.78],
  start: [250, 0.0005],
  certified: [238.94212918, 0.00055015643181],
  residual: 0.12455138894,
  predict: (b, x) => {
    const [b1, b2] = b as Two;
    return b2.mul(x).neg().expm1().mul(b1).neg();
  },
};

/** Quantum defects of iodine atoms: `b1 - b2 x - arctan(b3 / (x - b4)) / π`. */
const roszman1: Problem = {
  name: "Roszman1",
  difficulty: "average",
  x: [
    -4868.68, -4868.09, -4867.41, -3375.19, -3373.14, -3372.03, -2473.74, -2472.35, -2469.45, -1894.65, -1893.4,
    -1497.24, -1495.85, -1493.41, -1208.68, -1206.18, -1206.04, -997.92, -996.61, -996.31, -834.94, -834.66, -710.03,
    -530.16, -464.17,
  ],
  y: [
    0.252429, 0.252141, 0.251809, 0.297989, 0.296257, 0.295319, 0.339603, 0.337731, 0.33382, 0.38951, 0.386998,
    0.438864, 0.434887, 0.427893, 0.471568, 0.461699, 0.461144, 0.513532, 0.506641, 0.505062, 0.535648, 0.533726,
    0.568064, 0.612886, 0.624169,
  ],
  start: [0.2, -0.000005, 1200, -150],
  certified: [0.20196866396, -0.0000061953516256, 1204.4556708, -181.34269537],
  residual: 0.00049484847331,
  predict: (b, x) => {
    const [b1, b2, b3, b4] = b as Four;
    return b1.sub(b2.mul(x)).sub(b3.div(x.sub(b4)).atan().div(Math.PI));
  },
};

/** A rational function of Kowalik and Osborne: `b1 (x² + b2 x) / (x² + b3 x + b4)`. */
const mgh09: Problem = {
  name: "MGH09",
  difficulty: "higher",
  x: [4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625],
  y: [0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246],
  start: [0.25, 0.39, 0.415, 0.39],
  certified: [0.19280693458, 0.19128232873, 0.12305650693, 0.13606233068],
  residual: 0.00030750560385,
  predict: (b, x) => {
    const [b1, b2, b3, b4] = b as Four;
    const square = x.square();
    return square
      .add(b2.mul(x))
      .mul(b1)
      .div(square.add(b3.mul(x)).add(b4));
  },
};

/** Mobility of electrons in semiconductors: `(b1 + b2 x + b3 x² + b4 x³) / (1 + b5 x + b6 x² + b7 x³)`. */
const thurber: Problem = {
  name: "Thurber",
  difficulty: "higher",
  x: [
    -3.067, -2.981, -2.921, -2.912, -2.84, -2.797, -2.702, -2.699, -2.633, -2.481, -2.363, -2.322, -1.501, -1.46,
    -1.274, -1.212, -1.1, -1.046, -0.915, -0.714, -0.566, -0.545, -0.4, -0.309, -0.109, -0.103, 0.01, 0.119, 0.377,
    0.79, 0.963, 1.006, 1.115, 1.572, 1.841, 2.047, 2.2,
  ],
  y: [
    80.574, 84.248, 87.264, 87.195, 89.076, 89.608, 89.868, 90.101, 92.405, 95.854, 100.696, 101.06, 401.672, 390.724,
    567.534, 635.316, 733.054, 759.087, 894.206, 990.785, 1090.109, 1080.914, 1122.643, 1178.351, 1260.531, 1273.514,
    1288.339, 1327.543, 1353.863, 1414.509, 1425.208, 1421.384, 1442.962, 1464.35, 1468.705, 1447.894, 1457.628,
  ],
  start: [1300, 1500, 500, 75, 1, 0.4, 0.05],
  certified: [1288.13968, 1491.0792535, 583.23836877, 75.416644291, 0.96629502864, 0.39797285797, 0.049727297349],
  residual: 5642.7082397,
  predict: (b, x) => polynomial(b.slice(0, 4), x).div(polynomial(b.slice(4), x).mul(x).add(1)),
};

export const problems: readonly Problem[] = [misra1a, roszman1, mgh09, thurber];
