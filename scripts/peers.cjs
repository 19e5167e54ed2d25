// A hook of pnpm pack, for tarballs that a project installs from files.
//
// For a dependency of a tarball, pnpm, yarn and bun ask a registry, even if the project installs a tarball with its name. For a peer
// dependency they take the tarball of the project. So dependencies between packages of this repository become peers.

const isOurs = ([name]) => name.startsWith("@stepwell/");

/** A manifest of @stepwell/native with libtorch as an optional peer, so that pnpm and Plug'n'Play let it find the package. */
function withLibtorch(manifest) {
  const name = "@stepwell/libtorch";
  return {
    ...manifest,
    peerDependencies: { [name]: manifest.version },
    peerDependenciesMeta: { [name]: { optional: true } },
  };
}

/** The manifest of a tarball; versions stand for "workspace:" already. */
function beforePacking(manifest) {
  if (manifest.name === "@stepwell/native") return withLibtorch(manifest);
  const { dependencies = {}, optionalDependencies = {}, devDependencies, ...rest } = manifest;
  const optional = Object.entries(optionalDependencies).filter(isOurs);
  const peers = [...Object.entries(dependencies).filter(isOurs), ...optional];
  if (peers.length === 0) return manifest;
  return {
    ...rest,
    dependencies: Object.fromEntries(Object.entries(dependencies).filter((entry) => !isOurs(entry))),
    optionalDependencies: Object.fromEntries(Object.entries(optionalDependencies).filter((entry) => !isOurs(entry))),
    peerDependencies: Object.fromEntries(peers),
    peerDependenciesMeta: Object.fromEntries(optional.map(([name]) => [name, { optional: true }])),
  };
}

module.exports = { hooks: { beforePacking }, withLibtorch };
