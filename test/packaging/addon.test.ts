import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { libtorch } from "@stepwell/native";
import { errorCodes } from "@stepwell/sdk";
import { describe, expect, it } from "vitest";
import { startCodes } from "./start-codes.js";

const native = fileURLToPath(new URL(".", import.meta.resolve("@stepwell/native")));
const addons = join(native, "addon", `${process.platform}-${process.arch}`);

describe.runIf(process.platform === "linux")("the addons", () => {
  it.each(readdirSync(addons))("%s needs no CUDA and no path of this machine", (file) => {
    const dynamic = execFileSync("readelf", ["-d", join(addons, file)], { encoding: "utf8" });
    const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name);
    // libtorch.so itself would drag in libtorch_cuda, and that every library of NVIDIA.
    const allowed = /^(libtorch_cpu|libc10|libstdc\+\+|libgcc_s|libc|libm|ld-linux-x86-64|ld-linux-aarch64)\.so/;
    expect(needed.filter((name) => !allowed.test(name ?? ""))).toEqual([]);
    expect(needed.includes("libtorch_cpu.so")).toBe(file === "stepwell.node");
    expect(dynamic).not.toMatch(/RPATH|RUNPATH/);
  });
});

it("is loaded with the pinned libtorch", () => {
  expect(libtorch.version).toMatch(/^2\.11\.0(\+|$)/);
});

it("states every error code once in Rust and once as a type", async () => {
  const { open } = await import("@stepwell/native");
  const native = open() as { call(command: string, args: unknown[]): unknown };
  expect([...errorCodes]).toEqual([...(native.call("errorcodes", []) as string[]), ...startCodes]);
});
