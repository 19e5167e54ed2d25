// The binary format of WebAssembly: numbers, lists, and the instructions of functions.

/** Reads the binary format. */
export class Reader {
  at = 0;

  constructor(bytes) {
    this.bytes = bytes;
  }

  byte() {
    return this.bytes[this.at++];
  }

  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  numbers(count) {
    for (let i = 0; i < count; i++) this.number();
  }

  skip(count) {
    this.at += count;
  }

  list(read) {
    return Array.from({ length: this.number() }, read);
  }

  text() {
    const length = this.number();
    this.skip(length);
    return this.bytes.subarray(this.at - length, this.at).toString();
  }

  parameterCount() {
    this.at++;
    const count = this.number();
    this.skip(count);
    this.skip(this.number());
    return count;
  }

  body() {
    const length = this.number();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** The type of each local variable of a body after its parameters. The instructions follow. */
  localTypes() {
    return this.list(() => new Array(this.number()).fill(this.byte())).flat();
  }

  /** Each `local.get`, `local.set` and `local.tee`: where its number is, and the number. */
  uses() {
    const uses = [];
    this.operands((code, start) => {
      if (code < 0x20 || code > 0x22) return this.skipOperands(code);
      uses.push({ local: this.number(), start, end: this.at });
    });
    return uses;
  }

  /** The function of each `call`. */
  calls() {
    const calls = [];
    this.operands((code) => {
      if (code !== 0x10) return this.skipOperands(code);
      calls.push(this.number());
    });
    return calls;
  }

  /** Calls `read` with each instruction and the place of its operands, which it reads or skips. */
  operands(read) {
    while (this.at < this.bytes.length) read(this.byte(), this.at);
  }

  /** Skips the operands of an instruction. Throws for one that it does not know. */
  skipOperands(code) {
    if (code === 0xfc) this.skipBulkOperands(this.number());
    else if (code === 0xfd) this.skipVectorOperands(this.number());
    else if (code === 0x0e) this.numbers(this.number() + 1);
    else if (code === 0x1c) this.skip(this.number());
    else if (code === 0x43) this.at += 4;
    else if (code === 0x44) this.at += 8;
    else if (code === 0x11 || (code >= 0x28 && code <= 0x3e)) this.numbers(2);
    else if ([0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10].includes(code)) this.number();
    else if ((code >= 0x20 && code <= 0x26) || (code >= 0x3f && code <= 0x42)) this.number();
    else if (code === 0xd0 || code === 0xd2) this.number();
    else if (code > 0xc4 && code !== 0xd1) throw new Error(`an instruction of an unknown code: ${code}`);
  }

  skipBulkOperands(code) {
    if (code > 17) throw new Error(`an instruction of an unknown code: 252 ${code}`);
    if (code >= 8) this.numbers([8, 10, 12, 14].includes(code) ? 2 : 1);
  }

  skipVectorOperands(code) {
    if (code <= 11 || code === 92 || code === 93) this.numbers(2);
    else if (code === 12 || code === 13) this.at += 16;
    else if (code >= 21 && code <= 34) this.at++;
    else if (code >= 84 && code <= 91) {
      this.numbers(2);
      this.at++;
    }
  }
}

/** A number in LEB128, the encoding of the binary format. */
export function leb128(number) {
  const bytes = [];
  for (; number >= 0x80; number = Math.floor(number / 0x80)) bytes.push((number % 0x80) | 0x80);
  return [...bytes, number];
}
