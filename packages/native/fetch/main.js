// Fetches libtorch for a project without the program `stepwell`, which does the same by `doctor --fetch`.

const { fetchLibtorch } = require("./index.js");

fetchLibtorch().then(
  (path) => console.error(`libtorch: it is in ${path}`),
  ({ code, message }) => {
    console.error(code ? `${code}: ${message}` : message);
    process.exitCode = 1;
  },
);
