// Every call that makes an object makes it on the device, and no other call is changed.

import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { createOn } from "./device-binding.js";

interface Session {
  call(command: string, args: readonly unknown[]): unknown;
}

const native = createRequire(import.meta.url)("@stepwell/native") as { open(): Session };
const plain = native.open();
// No machine has as many devices, so that every object fails that would be made there.
createOn("cuda:99");
const session = native.open();

const linear = ["linear", 2, 1];
const state = plain.call("state", [plain.call("module", [linear])]);

it.each([
  ["tensor", [[1, 2]]],
  ["tensor", [[1, 2], "grad", "double"]],
  ["tensor", [[1, 2], { shape: [2, 1] }]],
  ["full", [[2], 5]],
  ["full", [[2], 5, { dtype: "double" }]],
  ["vector", [[1, 2]]],
  ["dict", [{ a: [1, 2] }]],
  ["module", [linear]],
  ["module", [state]],
] as const)("%s %j makes its tensors on the device, and nothing if it fails", (command, args) => {
  expect(() => plain.call("release", [plain.call(command, args)])).not.toThrow();
  expect(() => session.call(command, args)).toThrow(expect.objectContaining({ code: "ERR_DEVICE" }));
  expect(session.call("handlecount", [])).toBe(0);
});

it("leaves calls alone that name a device, that read, and that fail by themselves", () => {
  const x = session.call("tensor", [[1, 2], "cpu"]);
  const y = session.call("full", [[2], 5, { device: "cpu" }]);
  expect([session.call("device", [x]), session.call("device", [y])]).toEqual(["cpu", "cpu"]);
  expect(session.call("tensor", [x])).toMatchObject({ shape: [2] });
  session.call("free", [session.call("vector", [x, y]), session.call("dict", [{ x, y }])]);
  for (const [command, args] of [
    ["tensor", []],
    ["full", [[2]]],
    ["module", ["none"]],
    ["dict", [1]],
  ] as const) {
    const messageOf = (one: Session) => {
      try {
        return one.call(command, args);
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(messageOf(session)).toBe(messageOf(plain));
    expect(messageOf(session)).toMatch(`${command}: `);
  }
});
