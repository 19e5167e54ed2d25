// The passes of L-BFGS over its vectors, in the order of optimizers/lbfgs/vectors.rs. `Number` is float or double.
//
// A block takes a chunk of each vector. Products are summed in double over 64 lanes, as on the host. The last block of a launch
// adds the sums of all chunks in order, so a vector of one chunk has the bits of the host.

#define VECTOR_CHUNK 16384
#define MAX_SUMS 3

// The results of a pass, which the host and later passes read.
struct VectorResults {
    double sums[MAX_SUMS], product;
    u32 finished, padding;
};

static_assert(sizeof(VectorResults) == 40, "as in device_vectors.rs");

// The arguments of a pass. A pass uses the vectors and factors that it names.
struct VectorLaunch {
    u64 vectors[6], length;
    double factor, scale;
    VectorResults* results;
    double* partial_sums;
    double* coefficients;
    u64 coefficient;
    u32 block, blocks;
};

#ifdef __CUDACC__
#define VECTOR_KERNEL(NAME, PASS)                                                                                      \
    extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, 1)                                                      \
        NAME(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 length, double factor, double scale,                       \
             VectorResults* results, double* partial_sums, double* coefficients, u64 coefficient) {                   \
        __shared__ VectorWorkspace<PASS::ARRAYS> workspace;                                                            \
        const VectorLaunch launch = {{a, b, c, d, e, f}, length, factor, scale, results, partial_sums, coefficients,  \
                                     coefficient, blockIdx.x, gridDim.x};                                              \
        run_pass<PASS>(launch, workspace);                                                                             \
    }
#else
#define VECTOR_KERNEL(NAME, PASS)                                                                                      \
    extern "C" void NAME(u32 block, u32 blocks, const u64* arguments) {                                                \
        static thread_local VectorWorkspace<PASS::ARRAYS> workspace;                                                   \
        __builtin_memset(&workspace, 0xff, sizeof workspace);                                                          \
        const VectorLaunch launch = {                                                                                  \
            {arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]},                     \
            arguments[6],                                                                                              \
            double_of(arguments[7]),                                                                                   \
            double_of(arguments[8]),                                                                                   \
            reinterpret_cast<VectorResults*>(arguments[9]),                                                            \
            reinterpret_cast<double*>(arguments[10]),                                                                  \
            reinterpret_cast<double*>(arguments[11]),                                                                  \
            arguments[12],                                                                                             \
            block,                                                                                                     \
            blocks};                                                                                                   \
        run_pass<PASS>(launch, workspace);                                                                             \
    }
#endif

// In elements: those that a thread accesses at once, and those of all threads.
#define PER_THREAD static_cast<int>(sizeof(Words) / sizeof(Number))
#define PER_ROUND (BLOCK_THREADS * PER_THREAD)

// Elements of a round, for the sums, and the partial sums.
template <int ARRAYS> struct VectorWorkspace {
    alignas(16) Number elements[ARRAYS > 0 ? ARRAYS : 1][ARRAYS > 0 ? PER_ROUND : 1];
    double lanes[BLOCK_THREADS];
    double eighths[MAX_SUMS * 8];
    u32 is_last;
};

// The elements of vectors that a thread has loaded or computed.
typedef Span<PER_THREAD> Elements;
typedef Number Row[PER_THREAD];

DEVICE double magnitude_of(Number x) { return static_cast<double>(x < Number(0) ? -x : x); }

// The part of eighth_of and total_of for a largest value. Its order does not matter, and it starts at 0, so NaN is left out.
DEVICE double largest_of_eighth(const double* lanes, u32 i) {
    double largest = 0.0;
    for (u32 lane = i; lane < LANES; lane += 8) largest = larger(lanes[lane], largest);
    return largest;
}

DEVICE double largest_of(const double* eighths) {
    double largest = 0.0;
    for (u32 i = 0; i < 8; i++) largest = larger(eighths[i], largest);
    return largest;
}

// Adds the elements of a round to the lanes of all sums.
template <class Pass> DEVICE void add_round(VectorWorkspace<Pass::ARRAYS>& shared, u32 length) {
    BARRIER();
    FOR_THREADS {
        if (thread < Pass::SUMS * LANES) {
            const u32 sum = thread / LANES;
            double lane = shared.lanes[thread];
            for (u32 i = thread % LANES; i < length; i += LANES) lane = Pass::add(lane, sum, shared.elements, i);
            shared.lanes[thread] = lane;
        }
    }
    BARRIER();
}

// Sets the sums of the chunk. The last block of the launch then sets the sums of the vectors.
template <class Pass> DEVICE void finish_sums(const VectorLaunch& launch, VectorWorkspace<Pass::ARRAYS>& shared) {
    FOR_THREADS {
        if (thread < Pass::SUMS * 8) {
            const double* lanes = shared.lanes + thread / 8 * LANES;
            shared.eighths[thread] =
                Pass::is_largest(thread / 8) ? largest_of_eighth(lanes, thread % 8) : eighth_of(lanes, thread % 8);
        }
    }
    BARRIER();
    FOR_THREADS {
        if (thread < Pass::SUMS) {
            const double* eighths = shared.eighths + thread * 8;
            launch.partial_sums[thread * launch.blocks + launch.block] =
                Pass::is_largest(thread) ? largest_of(eighths) : total_of(eighths);
            FENCE();
        }
    }
    BARRIER();
    FOR_THREADS {
        if (thread == 0) shared.is_last = count(&launch.results->finished) + 1 == launch.blocks ? 1 : 0;
    }
    BARRIER();
    if (shared.is_last == 0) return;
    FENCE();
    FOR_THREADS {
        if (thread < Pass::SUMS) shared.eighths[thread] = 0.0;
    }
    for (u32 sum = 0; sum < Pass::SUMS; sum++) {
        const double* parts = launch.partial_sums + sum * launch.blocks;
        for (u32 start = 0; start < launch.blocks; start += BLOCK_THREADS) {
            BARRIER();
            FOR_THREADS {
                if (start + thread < launch.blocks) shared.lanes[thread] = fresh(parts[start + thread]);
            }
            BARRIER();
            FOR_THREADS {
                if (thread == 0) {
                    double all = shared.eighths[sum];
                    const u32 rest = launch.blocks - start < BLOCK_THREADS ? launch.blocks - start : BLOCK_THREADS;
                    for (u32 i = 0; i < rest; i++)
                        all = Pass::is_largest(sum) ? larger(shared.lanes[i], all) : all + shared.lanes[i];
                    shared.eighths[sum] = all;
                }
            }
        }
    }
    FOR_THREADS {
        if (thread == 0) {
            for (u32 sum = 0; sum < Pass::SUMS; sum++) launch.results->sums[sum] = shared.eighths[sum];
            launch.results->product = shared.eighths[Pass::PRODUCT];
            launch.results->finished = 0;
        }
    }
}

template <class Pass> DEVICE void run_pass(const VectorLaunch& launch, VectorWorkspace<Pass::ARRAYS>& shared) {
    const u64 first = static_cast<u64>(launch.block) * VECTOR_CHUNK;
    const u64 rest = launch.length - first;
    const u32 length = rest < VECTOR_CHUNK ? static_cast<u32>(rest) : VECTOR_CHUNK;
    const Pass pass(launch);
    if constexpr (Pass::SUMS > 0) {
        FOR_THREADS {
            if (thread < Pass::SUMS * LANES) shared.lanes[thread] = 0.0;
        }
    }
    for (u32 start = 0; start < length; start += PER_ROUND) {
        FOR_THREADS {
            const u32 own = start + thread * PER_THREAD;
            if (own < length) {
                const u32 left = length - own;
                const Elements span = {first + own, left < PER_THREAD ? static_cast<int>(left) : PER_THREAD,
                                       left >= PER_THREAD};
                Row kept[Pass::ARRAYS > 0 ? Pass::ARRAYS : 1];
                pass.compute(launch, span, kept);
                UNROLL
                for (int array = 0; array < Pass::ARRAYS; array++) {
                    UNROLL
                    for (int i = 0; i < PER_THREAD; i++) shared.elements[array][thread * PER_THREAD + i] = kept[array][i];
                }
            }
        }
        if constexpr (Pass::SUMS > 0) add_round<Pass>(shared, length - start < PER_ROUND ? length - start : PER_ROUND);
    }
    if constexpr (Pass::SUMS > 0) finish_sums<Pass>(launch, shared);
}

// A pass without sums.
struct NoSums {
    static constexpr int ARRAYS = 0;
    static constexpr u32 SUMS = 0, PRODUCT = 0;
    METHOD explicit NoSums(const VectorLaunch&) {}
};

// The dot product of two arrays.
struct OneProduct {
    static constexpr int ARRAYS = 2;
    static constexpr u32 SUMS = 1, PRODUCT = 0;
    METHOD static double add(double lane, u32, const Number (*elements)[PER_ROUND], u32 i) {
        return lane + static_cast<double>(elements[0][i]) * static_cast<double>(elements[1][i]);
    }
    METHOD static bool is_largest(u32) { return false; }
};

// a = -b
struct Negate : NoSums {
    using NoSums::NoSums;
    METHOD void compute(const VectorLaunch& launch, const Elements& span, Row*) const {
        Row x;
        load(launch.vectors[1], span, x);
        UNROLL
        for (int i = 0; i < PER_THREAD; i++) x[i] = -x[i];
        store(launch.vectors[0], span, x);
    }
};

// a = a scale
struct Scale : NoSums {
    using NoSums::NoSums;
    METHOD void compute(const VectorLaunch& launch, const Elements& span, Row*) const {
        const Number scale = static_cast<Number>(launch.scale);
        Row x;
        load(launch.vectors[0], span, x);
        UNROLL
        for (int i = 0; i < PER_THREAD; i++) x[i] = x[i] * scale;
        store(launch.vectors[0], span, x);
    }
};

// a = b + factor c
struct Axpy : NoSums {
    using NoSums::NoSums;
    METHOD void compute(const VectorLaunch& launch, const Elements& span, Row*) const {
        const Number factor = static_cast<Number>(launch.factor);
        Row x, y;
        load(launch.vectors[1], span, x);
        load(launch.vectors[2], span, y);
        UNROLL
        for (int i = 0; i < PER_THREAD; i++) x[i] = x[i] + factor * y[i];
        store(launch.vectors[0], span, x);
    }
};

// a . b
struct Dot : OneProduct {
    METHOD explicit Dot(const VectorLaunch&) {}
    METHOD void compute(const VectorLaunch& launch, const Elements& span, Row* kept) const {
        load(launch.vectors[0], span, kept[0]);
        load(launch.vectors[1], span, kept[1]);
    }
};

// The largest magnitude of a, and the sum of its magnitudes.
struct Magnitudes {
    static constexpr int ARRAYS = 1;
    static constexpr u32 SUMS = 2, PRODUCT = 0;
    METHOD explicit Magnitudes(const VectorLaunch&) {}
    METHOD static double add(double lane, u32 sum, const Number (*elements)[PER_ROUND], u32 i) {
        const double magnitude = magnitude_of(elements[0][i]);
        return sum == 0 ? larger(magnitude, lane) : lane + magnitude;
    }
    METHOD static bool is_largest(u32 sum) { return sum == 0; }
    METHOD void compute(const VectorLaunch& launch, const Elements& span, Row* kept) const {
        load(launch.vectors[0], span, kept[0]);
    }
};

// With the gradient a, the gradient before b, the direction c, and y = d, s = e: y = a - b, s = c factor, b = a, c = -a. The sums
// are y . s, y . y and s . c.
struct FormPair {
    static constexpr int ARRAYS = 3;
    static constexpr u32 SUMS = 3, PRODUCT = 2;
    METHOD explicit FormPair(const VectorLaunch&) {}
    METHOD static double add(double lane, u32 sum, const Number (*elements)[PER_ROUND], u32 i) {
        const double y = static_cast<double>(elements[0][i]), s = static_cast<double>(elements[1][i]);
        if (sum == 0) return lane + y * s;
        return lane + (sum == 1 ? y * y : s * static_cast<double>(elements[2][i]));
    }
    METHOD static bool is_largest(u32) { return false; }
    METHOD void compute(const VectorLaunch& launch, const Elements& span, Row* kept) const {
        const Number length = static_cast<Number>(launch.factor);
        Row gradient, before, direction;
        load(launch.vectors[0], span, gradient);
        load(launch.vectors[1], span, before);
        load(launch.vectors[2], span, direction);
        UNROLL
        for (int i = 0; i < PER_THREAD; i++) {
            kept[0][i] = gradient[i] - before[i];
            kept[1][i] = direction[i] * length;
            kept[2][i] = -gradient[i];
        }
        store(launch.vectors[1], span, gradient);
        store(launch.vectors[2], span, kept[2]);
        store(launch.vectors[3], span, kept[0]);
        store(launch.vectors[4], span, kept[1]);
    }
};

// The two passes of the recursion: a = (a + coefficient b) scale, and the sum a . c. The coefficient follows from the product of
// the pass before, which all blocks read before the last one sets the new one. `factor` is 1 / (y . s).
template <bool IS_FIRST> struct Recursion : OneProduct {
    Number coefficient, scale;
    METHOD explicit Recursion(const VectorLaunch& launch) {
        const double product = fresh(launch.results->product) * launch.factor;
        double* kept = launch.coefficients + launch.coefficient;
        coefficient = static_cast<Number>(IS_FIRST ? -product : *kept - product);
        scale = static_cast<Number>(launch.scale);
        FOR_THREADS {
            if (IS_FIRST && launch.block == 0 && thread == 0) *kept = product;
        }
    }
    METHOD void compute(const VectorLaunch& launch, const Elements& span, Row* kept) const {
        Row row;
        load(launch.vectors[0], span, kept[0]);
        load(launch.vectors[1], span, row);
        UNROLL
        for (int i = 0; i < PER_THREAD; i++) kept[0][i] = (kept[0][i] + coefficient * row[i]) * scale;
        store(launch.vectors[0], span, kept[0]);
        load(launch.vectors[2], span, kept[1]);
    }
};

VECTOR_KERNEL(negate, Negate)
VECTOR_KERNEL(scale, Scale)
VECTOR_KERNEL(axpy, Axpy)
VECTOR_KERNEL(dot, Dot)
VECTOR_KERNEL(magnitudes, Magnitudes)
VECTOR_KERNEL(form_pair, FormPair)
VECTOR_KERNEL(first_loop, Recursion<true>)
VECTOR_KERNEL(second_loop, Recursion<false>)
