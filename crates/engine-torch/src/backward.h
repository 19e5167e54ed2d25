#pragma once

namespace stepwell {

// Says that elements were written that an older graph may need.
void elements_written() noexcept;

}  // namespace stepwell
