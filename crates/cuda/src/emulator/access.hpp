// Bounds of all accesses to arrays, for the checked build of the emulator. Stands before the text of the kernels.

struct EmulatorRange {
    unsigned long long start, end;
};

static thread_local const EmulatorRange* emulator_ranges;
static thread_local unsigned long long emulator_range_count;
static thread_local unsigned long long emulator_violation;

// Sets the ranges that kernels may access. Returns the address of the first access outside, or 0, and forgets it.
extern "C" unsigned long long emulator_set_ranges(const EmulatorRange* ranges, unsigned long long count) {
    const unsigned long long violation = emulator_violation;
    emulator_ranges = ranges;
    emulator_range_count = count;
    emulator_violation = 0;
    return violation;
}

// True if an access stays within one range. An access outside is left out, and remembered.
static inline bool emulator_is_accessible(unsigned long long address, unsigned long long bytes) {
    unsigned long long low = 0, high = emulator_range_count;
    while (low < high) {
        const unsigned long long middle = (low + high) / 2;
        if (emulator_ranges[middle].start <= address) low = middle + 1;
        else high = middle;
    }
    if (low > 0 && address + bytes <= emulator_ranges[low - 1].end) return true;
    if (emulator_violation == 0) emulator_violation = address;
    return false;
}

#define IS_ACCESSIBLE(ADDRESS, BYTES) emulator_is_accessible(ADDRESS, BYTES)
