// Sums of squares, in the order of numeric/norm.rs.
//
// A block sums a chunk in passes, whose elements are in the workspace. A thread adds the elements of one of 64 lanes in
// their order, and the lanes are added by halving.

#define LANES 64
#define BLOCK_LEN 512
#define PASS_BYTES 16384
#define MAX_PASS_BLOCKS 8

// In elements: 8 blocks of float, 4 blocks of double.
template <class T> struct Pass {
    static constexpr u32 LENGTH = PASS_BYTES / sizeof(T);
    static constexpr u32 BLOCKS = LENGTH / BLOCK_LEN;
};

// The memory of one sum over a chunk.
struct SumWorkspace {
    alignas(16) u8 elements[PASS_BYTES];
    double lanes[MAX_PASS_BLOCKS * LANES];
    double eighths[MAX_PASS_BLOCKS * 8];
    double block_sums[MAX_PASS_BLOCKS];
    double sum;
    u32 is_inaccurate[MAX_PASS_BLOCKS];
};

DEVICE bool is_accurate(float, double sum) { return sum >= 1e-24 && sum <= 3.40282346638528859811704183484516925440e+38; }
DEVICE bool is_accurate(double, double) { return true; }

// The part of the halving of 64 lanes that leads to one of eight sums.
DEVICE double eighth_of(const double* lanes, u32 i) {
    const double even = (lanes[i] + lanes[i + 32]) + (lanes[i + 16] + lanes[i + 48]);
    return even + ((lanes[i + 8] + lanes[i + 40]) + (lanes[i + 24] + lanes[i + 56]));
}

// The rest of the halving.
DEVICE double total_of(const double* eighths) {
    const double even = (eighths[0] + eighths[4]) + (eighths[2] + eighths[6]);
    return even + ((eighths[1] + eighths[5]) + (eighths[3] + eighths[7]));
}

// The sum of squares of fewer than 64 elements.
template <class T> DEVICE double sum_few(const T* x, u32 length) {
    double sums[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (u32 row = 0; row < length; row += 8) {
        UNROLL
        for (u32 i = 0; i < 8; i++) {
            if (row + i < length) sums[i] += static_cast<double>(x[row + i]) * static_cast<double>(x[row + i]);
        }
    }
    return total_of(sums);
}

// Adds the squares of one lane: two rows at once, in the type of the elements, then single rows.
template <class T> DEVICE double add_lane(double sum, const T* x, u32 length, u32 lane) {
    u32 row = 0;
    for (; row + 2 * LANES <= length; row += 2 * LANES) {
        const T first = x[row + lane], second = x[row + LANES + lane];
        sum += static_cast<double>(first * first + second * second);
    }
    for (; row + lane < length; row += LANES) sum += static_cast<double>(x[row + lane] * x[row + lane]);
    return sum;
}

// The squares of one lane of a whole block, added in the type of the elements.
template <class T> DEVICE double sum_lane_of_block(const T* x, u32 lane) {
    T sum = x[lane] * x[lane];
    UNROLL
    for (u32 row = LANES; row < BLOCK_LEN; row += LANES) sum = sum + x[row + lane] * x[row + lane];
    return static_cast<double>(sum);
}

// Adds the squares of one lane in double.
template <class T> DEVICE double add_lane_in_double(double sum, const T* x, u32 length, u32 lane) {
    for (u32 i = lane; i < length; i += LANES) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    return sum;
}

// The length of a block in a pass with `length` elements.
DEVICE u32 block_len(u32 length, u32 block) {
    const u32 start = block * BLOCK_LEN;
    return length <= start ? 0 : length - start < BLOCK_LEN ? length - start : BLOCK_LEN;
}

// Adds the sums of the blocks of a pass to `shared.sum`, in order. A whole block of `ROW_BY_ROW` is added in the type of
// the elements.
template <class T, bool ROW_BY_ROW> DEVICE void add_blocks(SumWorkspace& shared, u32 length) {
    const T* x = reinterpret_cast<const T*>(shared.elements);
    FOR_THREADS {
        const u32 block = thread / LANES, lane = thread % LANES, own = block_len(length, block);
        if (own >= LANES) {
            const T* from = x + block * BLOCK_LEN;
            shared.lanes[thread] =
                ROW_BY_ROW && own == BLOCK_LEN ? sum_lane_of_block(from, lane) : add_lane(0.0, from, own, lane);
        }
    }
    BARRIER();
    FOR_THREADS {
        if (thread < MAX_PASS_BLOCKS * 8 && block_len(length, thread / 8) >= LANES)
            shared.eighths[thread] = eighth_of(shared.lanes + thread / 8 * LANES, thread % 8);
    }
    BARRIER();
    FOR_THREADS {
        if (thread < MAX_PASS_BLOCKS) {
            const u32 own = block_len(length, thread);
            const double sum = own >= LANES ? total_of(shared.eighths + thread * 8)
                               : own > 0    ? sum_few(x + thread * BLOCK_LEN, own)
                                            : 0.0;
            shared.block_sums[thread] = sum;
            shared.is_inaccurate[thread] = own >= LANES && !is_accurate(T(0), sum) ? 1 : 0;
        }
    }
    BARRIER();
    u32 is_inaccurate = 0;
    UNROLL
    for (u32 block = 0; block < MAX_PASS_BLOCKS; block++) is_inaccurate |= shared.is_inaccurate[block];
    if (is_inaccurate != 0) {
        FOR_THREADS {
            const u32 block = thread / LANES, lane = thread % LANES;
            if (shared.is_inaccurate[block] != 0)
                shared.lanes[thread] =
                    add_lane_in_double(0.0, x + block * BLOCK_LEN, block_len(length, block), lane);
        }
        BARRIER();
        FOR_THREADS {
            if (thread < MAX_PASS_BLOCKS * 8 && shared.is_inaccurate[thread / 8] != 0)
                shared.eighths[thread] = eighth_of(shared.lanes + thread / 8 * LANES, thread % 8);
        }
        BARRIER();
        FOR_THREADS {
            if (thread < MAX_PASS_BLOCKS && shared.is_inaccurate[thread] != 0)
                shared.block_sums[thread] = total_of(shared.eighths + thread * 8);
        }
        BARRIER();
    }
    FOR_THREADS {
        if (thread == 0) {
            double sum = shared.sum;
            for (u32 block = 0; block < MAX_PASS_BLOCKS; block++) {
                if (block_len(length, block) != 0) sum += shared.block_sums[block];
            }
            shared.sum = sum;
        }
    }
    BARRIER();
}

// The sum of doubles of a table in order, by all threads of the last block of a launch. Sets `shared.sum`.
template <class Value> DEVICE void add_in_order(SumWorkspace& shared, u32 first, u32 end, const Value& value) {
    FOR_THREADS {
        if (thread == 0) shared.sum = 0.0;
    }
    BARRIER();
    for (u32 start = first; start < end; start += BLOCK_THREADS) {
        FOR_THREADS {
            if (start + thread < end) shared.lanes[thread] = value(start + thread);
        }
        BARRIER();
        FOR_THREADS {
            if (thread == 0) {
                double sum = shared.sum;
                const u32 rest = end - start < BLOCK_THREADS ? end - start : BLOCK_THREADS;
                for (u32 i = 0; i < rest; i++) sum += shared.lanes[i];
                shared.sum = sum;
            }
        }
        BARRIER();
    }
}
