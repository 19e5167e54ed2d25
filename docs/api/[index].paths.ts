// The list of all public symbols.

import { apiGroups } from "../site/api-groups.js";
import { contentsOf } from "../site/api-pages.js";

export default {
  paths: () => [{ params: { index: "index" }, content: contentsOf(apiGroups) }],
};
