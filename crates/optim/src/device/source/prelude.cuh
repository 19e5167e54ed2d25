// Types, the tables of layout.rs, and access to memory. CUDA C++ for NVRTC, without headers, and C++17 for the emulator.
//
// A kernel is a sequence of loops over the threads of a block. A barrier stands between two loops, and values that
// outlive a loop are in the workspace, which is shared memory. So the emulator runs a block on one thread of the host.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define BLOCK_THREADS 512

#ifdef __CUDACC__
#define DEVICE [[maybe_unused]] static __device__ __forceinline__
#define METHOD __device__ __forceinline__
#define UNROLL _Pragma("unroll")
#define FOR_THREADS for (u32 thread = threadIdx.x, again = 1; again != 0; again = 0)
#define BARRIER() __syncthreads()
#define FENCE() __threadfence()
#define KERNEL(NAME, WORKSPACE)                                                                                        \
    extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, 1)                                                      \
        NAME(const TensorEntry* tensors, const ChunkEntry* chunks, ConstantsRow* rows, const StepSettings* settings,   \
             Control* control, SquaresEntry* squares, FactorEntry* factors) {                                          \
        __shared__ WORKSPACE workspace;                                                                                \
        const Launch launch = {tensors, chunks, rows, settings, control, squares, factors, blockIdx.x, gridDim.x};     \
        NAME##_block(launch, workspace);                                                                               \
    }
#define IS_ACCESSIBLE(ADDRESS, BYTES) true
#else
#define DEVICE [[maybe_unused]] static inline
#define METHOD inline
#define UNROLL
#define FOR_THREADS for (u32 thread = 0; thread < BLOCK_THREADS; thread++)
#define BARRIER()
#define FENCE()
// The emulator fills the workspace with 0xff bytes, which are NaN in each floating-point type.
#define KERNEL(NAME, WORKSPACE)                                                                                        \
    extern "C" void NAME(u32 block, u32 blocks, const u64* arguments) {                                                \
        static thread_local WORKSPACE workspace;                                                                       \
        __builtin_memset(&workspace, 0xff, sizeof workspace);                                                          \
        const Launch launch = {reinterpret_cast<const TensorEntry*>(arguments[0]),                                     \
                               reinterpret_cast<const ChunkEntry*>(arguments[1]),                                      \
                               reinterpret_cast<ConstantsRow*>(arguments[2]),                                          \
                               reinterpret_cast<const StepSettings*>(arguments[3]),                                    \
                               reinterpret_cast<Control*>(arguments[4]),                                               \
                               reinterpret_cast<SquaresEntry*>(arguments[5]),                                          \
                               reinterpret_cast<FactorEntry*>(arguments[6]),                                           \
                               block,                                                                                  \
                               blocks};                                                                                \
        NAME##_block(launch, workspace);                                                                               \
    }
#ifndef IS_ACCESSIBLE
#define IS_ACCESSIBLE(ADDRESS, BYTES) true
#endif
#endif

#define SKIPS_NON_FINITE 1
#define SKIPS_ALWAYS 2

#define RULE_BUFFERS 3
#define MASTER 3
#define PARAM_AVERAGE 4
#define MAX_BUFFERS 5

struct TensorEntry {
    u64 parameter, gradient, buffers[MAX_BUFFERS], length;
    double average_decay;
    u32 first_chunk, chunks, row, variant, created_average, padding;
};

struct ChunkEntry {
    u32 tensor, length;
    u64 start;
};

struct ConstantsRow {
    double values[16], norm_inputs[16];
    u32 is_single, padding;
};

struct TransformEntry {
    double scale, max;
    u32 kind, padding;
};

struct StepSettings {
    double unscale, max_norm;
    TransformEntry transform;
    u32 clips_norm, uses_norm, skips, zeroes_gradients, rows, chunks;
    u64 skipped;
};

struct Control {
    double norm;
    TransformEntry transform;
    u32 non_finite, finished;
    u64 skipped;
};

struct SquaresEntry {
    double gradient, parameter, update;
    u32 non_finite, padding;
};

struct FactorEntry {
    double factor;
    u32 finished, padding;
};

static_assert(sizeof(TensorEntry) == 96 && sizeof(ChunkEntry) == 16 && sizeof(ConstantsRow) == 264, "as in layout.rs");
static_assert(sizeof(TransformEntry) == 24 && sizeof(StepSettings) == 72 && sizeof(Control) == 48, "as in layout.rs");
static_assert(sizeof(SquaresEntry) == 32 && sizeof(FactorEntry) == 16, "as in layout.rs");

// The arguments of a launch, and the index of the block.
struct Launch {
    const TensorEntry* tensors;
    const ChunkEntry* chunks;
    ConstantsRow* rows;
    const StepSettings* settings;
    Control* control;
    SquaresEntry* squares;
    FactorEntry* factors;
    u32 block, blocks;
};

struct NoWorkspace {
    u8 unused;
};

DEVICE u32 bits_of(float x) {
#ifdef __CUDACC__
    return __float_as_uint(x);
#else
    u32 bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
#endif
}

DEVICE float float_of(u32 bits) {
#ifdef __CUDACC__
    return __uint_as_float(bits);
#else
    float x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
#endif
}

DEVICE u64 bits_of(double x) {
#ifdef __CUDACC__
    return static_cast<u64>(__double_as_longlong(x));
#else
    u64 bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
#endif
}

DEVICE double double_of(u64 bits) {
#ifdef __CUDACC__
    return __longlong_as_double(static_cast<long long>(bits));
#else
    double x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
#endif
}

DEVICE float sqrt(float x) {
#ifdef __CUDACC__
    return __fsqrt_rn(x);
#else
    return __builtin_sqrtf(x);
#endif
}

DEVICE double sqrt(double x) {
#ifdef __CUDACC__
    return __dsqrt_rn(x);
#else
    return __builtin_sqrt(x);
#endif
}

DEVICE bool is_finite(float x) { return (bits_of(x) & 0x7f800000u) != 0x7f800000u; }
DEVICE bool is_finite(double x) { return (bits_of(x) & 0x7ff0000000000000ull) != 0x7ff0000000000000ull; }

// Adds one and returns the value before, for all blocks of a launch.
DEVICE u32 count(u32* counter) {
#ifdef __CUDACC__
    return atomicAdd(counter, 1u);
#else
    return (*counter)++;
#endif
}

// Reads what another block of the launch has written before a fence.
template <class T> DEVICE T fresh(const T& x) { return *static_cast<const volatile T*>(&x); }

// Sixteen bytes of memory.
struct Words {
    u32 words[4];
};

// Addresses are aligned to 16 bytes.
DEVICE Words load_words(u64 address) {
    Words to = {{0, 0, 0, 0}};
#ifdef __CUDACC__
    asm volatile("ld.global.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to.words[0]), "=r"(to.words[1]), "=r"(to.words[2]), "=r"(to.words[3])
                 : "l"(address)
                 : "memory");
#else
    if (address % sizeof to != 0) __builtin_trap();
    if (IS_ACCESSIBLE(address, sizeof to)) __builtin_memcpy(&to, reinterpret_cast<const void*>(address), sizeof to);
#endif
    return to;
}

DEVICE void store_words(u64 address, const Words& from) {
#ifdef __CUDACC__
    asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};"
                 :
                 : "l"(address), "r"(from.words[0]), "r"(from.words[1]), "r"(from.words[2]), "r"(from.words[3])
                 : "memory");
#else
    if (address % sizeof from != 0) __builtin_trap();
    if (IS_ACCESSIBLE(address, sizeof from)) __builtin_memcpy(reinterpret_cast<void*>(address), &from, sizeof from);
#endif
}

// Loads eight bytes at an address that is aligned to eight bytes, as the first two words.
DEVICE Words load_two_words(u64 address) {
    Words to = {{0, 0, 0, 0}};
#ifdef __CUDACC__
    asm volatile("ld.global.v2.u32 {%0, %1}, [%2];"
                 : "=r"(to.words[0]), "=r"(to.words[1])
                 : "l"(address)
                 : "memory");
#else
    if (address % 8 != 0) __builtin_trap();
    if (IS_ACCESSIBLE(address, 8)) __builtin_memcpy(&to, reinterpret_cast<const void*>(address), 8);
#endif
    return to;
}

DEVICE void store_two_words(u64 address, const Words& from) {
#ifdef __CUDACC__
    asm volatile("st.global.v2.u32 [%0], {%1, %2};" : : "l"(address), "r"(from.words[0]), "r"(from.words[1]) : "memory");
#else
    if (address % 8 != 0) __builtin_trap();
    if (IS_ACCESSIBLE(address, 8)) __builtin_memcpy(reinterpret_cast<void*>(address), &from, 8);
#endif
}

// The element with this index in a row of words.
DEVICE void get(const u32* words, int index, float& to) { to = float_of(words[index]); }
DEVICE void get(const u32* words, int index, double& to) {
    to = double_of(static_cast<u64>(words[2 * index + 1]) << 32 | words[2 * index]);
}
DEVICE void get(const u32* words, int index, u16& to) {
    to = static_cast<u16>(words[index / 2] >> (index % 2 * 16));
}

// Sets the element with this index in a row of words, whose bits are zero before.
DEVICE void put(u32* words, int index, float from) { words[index] = bits_of(from); }
DEVICE void put(u32* words, int index, double from) {
    words[2 * index] = static_cast<u32>(bits_of(from));
    words[2 * index + 1] = static_cast<u32>(bits_of(from) >> 32);
}
DEVICE void put(u32* words, int index, u16 from) { words[index / 2] |= static_cast<u32>(from) << (index % 2 * 16); }

// Elements that one thread accesses at once: `count` of `N`. If there are fewer than N, or an address is not aligned to
// 16 bytes, each element is accessed by itself.
template <int N> struct Span {
    u64 first;
    int count;
    bool is_vector;
};

// Loads the elements of a span from an array, sixteen bytes at once, or eight if there are not more. Elements that the
// span does not contain become zero.
template <class S, int N> DEVICE void load(u64 array, const Span<N>& span, S (&to)[N]) {
    constexpr int BYTES = N * sizeof(S) < sizeof(Words) ? N * sizeof(S) : sizeof(Words);
    constexpr int PER_PIECE = BYTES / sizeof(S);
    static_assert((BYTES == 8 || BYTES == 16) && N % PER_PIECE == 0, "whole pieces");
    const u64 address = array + span.first * sizeof(S);
    if (span.is_vector) {
        UNROLL
        for (int first = 0; first < N; first += PER_PIECE) {
            const u64 piece = address + first * sizeof(S);
            const Words words = BYTES == 8 ? load_two_words(piece) : load_words(piece);
            UNROLL
            for (int i = 0; i < PER_PIECE; i++) get(words.words, i, to[first + i]);
        }
    } else {
        UNROLL
        for (int i = 0; i < N; i++) {
            const u64 element = address + i * sizeof(S);
            to[i] = 0;
            if (i < span.count && IS_ACCESSIBLE(element, sizeof(S))) to[i] = *reinterpret_cast<const S*>(element);
        }
    }
}

// Stores the elements of a span to an array.
template <class S, int N> DEVICE void store(u64 array, const Span<N>& span, const S (&from)[N]) {
    constexpr int BYTES = N * sizeof(S) < sizeof(Words) ? N * sizeof(S) : sizeof(Words);
    constexpr int PER_PIECE = BYTES / sizeof(S);
    const u64 address = array + span.first * sizeof(S);
    if (span.is_vector) {
        UNROLL
        for (int first = 0; first < N; first += PER_PIECE) {
            const u64 piece = address + first * sizeof(S);
            Words words = {{0, 0, 0, 0}};
            UNROLL
            for (int i = 0; i < PER_PIECE; i++) put(words.words, i, from[first + i]);
            if (BYTES == 8) store_two_words(piece, words);
            else store_words(piece, words);
        }
    } else {
        UNROLL
        for (int i = 0; i < N; i++) {
            const u64 element = address + i * sizeof(S);
            if (i < span.count && IS_ACCESSIBLE(element, sizeof(S))) *reinterpret_cast<S*>(element) = from[i];
        }
    }
}

// True if 16-byte accesses reach all arrays of a tensor.
DEVICE bool is_aligned(const TensorEntry& tensor) {
    u64 all = tensor.parameter | tensor.gradient;
    UNROLL
    for (int i = 0; i < MAX_BUFFERS; i++) all |= tensor.buffers[i];
    return all % sizeof(Words) == 0;
}

// Functions that formulas call: see numeric/kernel.rs.
template <class T> DEVICE T larger(T a, T b) { return a > b ? a : b; }
template <class T> DEVICE T with_term(T sum, T factor, T x) { return factor == T(0) ? sum : sum + factor * x; }
template <class T> DEVICE T nesterov_update(T b, T g, T factor) { return factor == T(0) ? b : g + factor * b; }
