// The reasons why pip failed, in words, with the remedy.

const reasons = [
  [
    /No space left on device|Errno 28|Disk quota exceeded/,
    () =>
      "the disk is full. Free some space, or point XDG_CACHE_HOME at a disk that has it, and run the command again.",
  ],
  [
    /DO NOT MATCH THE HASHES|Expected sha256|bad-hash/i,
    ({ name }) =>
      `the file from the package index of ${name} is not the one that Stepwell was tested with: its hash does not match. Run the command again, since the connection may have broken. If it fails again, look at what the index serves.`,
  ],
  [
    /SSLError|CERTIFICATE_VERIFY_FAILED/,
    ({ name }) =>
      `${name} does not trust the certificate of its package index. Set PIP_CERT to the file of your certificates.`,
  ],
  [
    /NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|Connection (?:aborted|refused|reset)|RemoteDisconnected|ConnectionError|IncompleteRead|incomplete-download|name resolution|Name or service not known|Network is unreachable|error sending request|dns error|Failed to fetch/,
    ({ name }) =>
      `${name} does not reach its package index. Run the command again with a network, or set HTTPS_PROXY or PIP_INDEX_URL.`,
  ],
  [
    /No matching distribution found|Could not find a version/,
    ({ name }) => `the package index of ${name} does not have it. Set PIP_INDEX_URL to one that mirrors PyPI.`,
  ],
];

/**
 * The reason and the remedy as sentences, with the last line of pip. `task` is what was to be done, `text` the output, and `log` the
 * log, which has more.
 */
function reasonOf(client, task, text, log) {
  const lines = text.trim().split("\n").filter(Boolean);
  const last = (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "").trim().slice(0, 500);
  const [, sentence] = reasons.find(([pattern]) => pattern.test(`${text}\n${log}`)) ?? [];
  return sentence ? `${sentence(client)} ${client.name} said: ${last}` : `${client.name} failed (${task}): ${last}`;
}

module.exports = { reasonOf };
