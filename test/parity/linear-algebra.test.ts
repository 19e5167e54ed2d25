// Singular vectors and eigenvectors, whose signs are free, by what they must satisfy; and errors of linear algebra.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "../contract/expect-error.js";
import { differences } from "../engine-differences.js";

afterEach(() => k.free());

const wide = [
  [2, -1, 0.5, 3],
  [0.25, 4, -2, 1],
  [1, 1, 0.75, -0.5],
];
const symmetric = [
  [4, 1, 0.5],
  [1, 3, -0.5],
  [0.5, -0.5, 2],
];
/** Of PyTorch 2.11: `torch.linalg.svdvals` and `torch.linalg.eigvalsh`. */
const singularValues = [4.652083093312497, 3.734194085226185, 1.5933980754280495];
const eigenvalues = [1.4714563717218356, 2.899595121763446, 4.628948506514719];

const double = (numbers: k.TensorData, grad = false) => k.tensor(numbers, { dtype: "double", grad });
const flat = (x: k.TensorHandle) => [...k.data(x).data].map(Number);
const expectClose = (found: readonly number[], expected: readonly number[]) => {
  expect(found.length).toBe(expected.length);
  for (const [i, x] of found.entries()) expect(Math.abs(x - (expected[i] as number))).toBeLessThan(1e-12);
};

describe.runIf(differences.lacking.length === 0)("with linear algebra", () => {
  const tall = [0, 1, 2, 3].map((column) => wide.map((row) => row[column] as number));

  it.each([["wide", wide] as const, ["tall", tall] as const])("svd gives factors of a %s matrix", (_, matrix) => {
    for (const full of [true, false]) {
      const x = double(matrix, !full);
      const [u, s, v] = k.svd(x, full);
      expectClose(flat(s), singularValues);
      const [rowCount, columnCount] = [matrix.length, (matrix[0] as number[]).length];
      expect(k.size(u)).toEqual([rowCount, full ? rowCount : 3]);
      expect(k.size(v)).toEqual([full ? columnCount : 3, columnCount]);
      for (const [name, left, right] of [["u", k.transpose(u), u] as const, ["v", v, k.transpose(v)] as const]) {
        const product = k.matmul(left, right);
        expect(name).toBeTruthy();
        expectClose(flat(product), flat(k.eye((k.size(product) as number[])[0] as number)));
      }
      const product = k.matmul(k.mul(k.narrow(u, 1, 0, 3), s), k.narrow(v, 0, 0, 3));
      expectClose(flat(product), matrix.flat());
      if (full) continue;
      // The product is the matrix itself, so its gradient passes through.
      const weights = k.reshape(k.arange(0, matrix.flat().length, 1, "double"), [rowCount, columnCount]);
      k.backward(k.sum(k.mul(product, weights)));
      expectClose([k.grad(x)].flat(9) as number[], flat(weights));
    }
  });

  it("eigh gives an orthogonal matrix that makes x diagonal, from one triangle", () => {
    for (const upper of [false, true]) {
      const given = upper ? k.triu(double(symmetric)) : k.tril(double(symmetric));
      const [values, vectors] = k.eigh(given, upper);
      expectClose(flat(values), eigenvalues);
      expectClose(flat(k.matmul(k.mul(vectors, values), k.transpose(vectors))), symmetric.flat());
    }
  });

  it("says which matrix cannot be inverted or factored", () => {
    const singular = [
      [1, 2],
      [2, 4],
    ];
    expect(expectError("ERR_ENGINE", () => k.inverse(singular))).toMatch(/singular/);
    expect(expectError("ERR_ENGINE", () => k.chol([[-1]]))).toMatch(/not positive-definite/);
    expect(flat(k.cholx([[-1]])[1])).toEqual([1]);
    expect(expectError("ERR_ENGINE", () => k.cholx([[-1]], { check: true }))).toMatch(/not positive-definite/);
    expect(Math.abs(Number(k.tensor(k.det(singular))))).toBeLessThan(1e-6);
  });

  it("least squares are the same in every call, and of the pseudo-inverse", () => {
    const x = k.tensor(
      [
        [1, 2],
        [3, 4],
      ],
      "double",
    );
    const y = k.tensor([[1], [2]], "double");
    for (const rcond of [null, 0.5]) {
      const inverse = k.pinverse(x, { rtol: rcond ?? 1e-15 });
      const expected = Array.from(k.data(k.matmul(inverse, y)).data, Number);
      const found = new Set<string>();
      for (let i = 0; i < 64; i++) {
        const [solution] = k.lstsq(x, y, rcond as number);
        const numbers = Array.from(k.data(solution as k.TensorHandle).data, Number);
        found.add(String(numbers));
        for (const [j, number] of numbers.entries()) expect(number).toBeCloseTo(expected[j] as number, 12);
      }
      expect(found.size).toBe(1);
    }
  });

  it.each([
    ["ERR_SHAPE", /square matrices \[\*, n, n\], given shape \[3, 4\]/, () => k.det(wide)],
    ["ERR_SHAPE", /square matrices \[\*, n, n\], given shape \[3\]/, () => k.inverse([1, 2, 3])],
    ["ERR_SHAPE", /matrices \[\*, m, n\], given shape \[2\]/, () => k.svd([1, 2])],
    ["ERR_DTYPE", /float or double, given half/, () => k.det(k.tensor(symmetric, "half"))],
    ["ERR_ARGUMENT", /pivots from 1 to 3, given 4/, () => k.lusolve(wide, symmetric, [1, 2, 4])],
    ["ERR_ARGUMENT", /pivots from 1 to 3, given 0/, () => k.lun(symmetric, [0, 2, 3])],
    ["ERR_SHAPE", /one pivot for each step/, () => k.lusolve(wide, symmetric, [1, 2])],
    ["ERR_SHAPE", /as many rows of x and y, given shapes \[3, 3\] and \[2\]/, () => k.solve(symmetric, [1, 2])],
    ["ERR_SHAPE", /given shapes \[2, 3, 3\] and \[5, 3, 1\]/, () => k.solve(k.ones([2, 3, 3]), k.ones([5, 3, 1]))],
    ["ERR_SHAPE", /given shapes \[2, 2\] and \[3, 1\]/, () => k.lstsq(k.eye(2), k.zeros([3, 1]))],
    ["ERR_SHAPE", /given shapes \[2, 3, 3\] and \[5, 3, 1\]/, () => k.lstsq(k.ones([2, 3, 3]), k.ones([5, 3, 1]))],
    ["ERR_SHAPE", /given shapes \[2, 2, 2\] and \[2\]/, () => k.lstsq(k.ones([2, 2, 2]), [1, 2])],
    ["ERR_SHAPE", /given shapes \[2, 2\] and \[3\]/, () => k.householder(k.eye(2), k.zeros([3]))],
    ["ERR_SHAPE", /as many rows of x and y/, () => k.cholsolve(k.zeros([3, 1]), k.eye(2))],
    ["ERR_SHAPE", /as many rows of x and y/, () => k.trisolve(k.eye(2), k.zeros([3, 1]), true)],
    ["ERR_SHAPE", /as many columns of x and y/, () => k.trisolve(k.eye(2), k.zeros([1, 3]), true, false)],
    ["ERR_SHAPE", /square matrices/, () => k.mrank(k.ones([2, 3]), { hermitian: true })],
    ["ERR_SHAPE", /square matrices/, () => k.pinverse(k.ones([2, 3]), { hermitian: true })],
    [
      "ERR_ARGUMENT",
      /finite numbers, given NaN/,
      () =>
        k.lstsq(
          [
            [Number.NaN, 1],
            [1, 2],
          ],
          [[1], [2]],
        ),
    ],
    [
      "ERR_ARGUMENT",
      /finite numbers, given NaN/,
      () =>
        k.lstsq(
          [
            [1, 1],
            [1, 2],
          ],
          [[1], [Number.NaN]],
        ),
    ],
    [
      "ERR_ARGUMENT",
      /finite numbers, given -inf/,
      () =>
        k.lstsq(
          [
            [1, 1],
            [1, -Infinity],
          ],
          [[1], [2]],
        ),
    ],
  ] as const)("%s %s", (code, message, call) => {
    expect(expectError(code, call)).toMatch(message);
  });
});

it("norms and powers that need no linear algebra work without it", () => {
  const power = k.power(
    [
      [2, 0],
      [0, 3],
    ],
    3,
  );
  expect(k.tensor(power)).toEqual([
    [8, 0],
    [0, 27],
  ]);
  expect(
    k.tensor(
      k.mnorm(
        [
          [1, -2],
          [3, 4],
        ],
        1,
      ),
    ),
  ).toBe(6);
  expect(
    k.tensor(
      k.mnorm(
        [
          [1, -2],
          [3, 4],
        ],
        -Infinity,
      ),
    ),
  ).toBe(3);
  expect(expectError("ERR_ARGUMENT", () => k.mnorm([[1]], 3))).toMatch(/the order 1, 2, infinity/);
});

it.runIf(differences.lacking.length > 0)("every function of linear algebra says that the engine lacks it", () => {
  const message = "this engine has no linear algebra; the native engine has it";
  for (const call of [() => k.det([[1]]), () => k.svd([[1]]), () => k.power([[2]], -1), () => k.mnorm([[1]], 2)]) {
    expect(expectError("ERR_UNSUPPORTED", call)).toContain(message);
  }
});
