// The pages of public symbols.

import { apiGroups } from "../../site/api-groups.js";
import { markdownOf } from "../../site/api-pages.js";

export default {
  paths: () =>
    apiGroups.flatMap(({ name, pages }) =>
      pages.map((page) => ({ params: { group: name, page: page.file }, content: markdownOf(page) })),
    ),
};
