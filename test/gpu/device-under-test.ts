import * as k from "@stepwell/sdk";

/** The device under test. Tensors that name none are created there, on which `device-binding.ts` sees. */
export function deviceUnderTest(): k.Device {
  const x = k.tensor([0]);
  const name = k.device(x) as k.Device;
  k.free(x);
  return name;
}
