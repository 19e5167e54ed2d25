/* Fails the k-th allocation of libtorch, for a process that is started with LD_PRELOAD. A file that both sides map controls it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Six numbers of 64 bits, which the test writes and reads. */
struct control {
    int64_t armed;   /* 1 while allocations count */
    int64_t fail_at; /* the first one that fails, from 1 */
    int64_t forever; /* 1 if all later ones fail, too */
    int64_t count;   /* allocations so far */
    int64_t failed;  /* failures so far */
};

static struct control *control;
static int (*real)(void **, size_t, size_t);

__attribute__((constructor)) static void start(void) {
    real = (int (*)(void **, size_t, size_t))dlsym(RTLD_NEXT, "posix_memalign");
    const char *path = getenv("STEPWELL_FAILING_ALLOCATIONS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) control = mapped;
}

/* Other callers, such as V8, end the process if they get no memory. */
static int is_libtorch(void *caller) {
    Dl_info info;
    return dladdr(caller, &info) && info.dli_fname && (strstr(info.dli_fname, "libc10") || strstr(info.dli_fname, "libtorch"));
}

int posix_memalign(void **pointer, size_t alignment, size_t size) {
    if (control && __atomic_load_n(&control->armed, __ATOMIC_RELAXED) && is_libtorch(__builtin_return_address(0))) {
        int64_t count = __atomic_add_fetch(&control->count, 1, __ATOMIC_RELAXED);
        if (count == control->fail_at || (control->forever && count > control->fail_at)) {
            __atomic_add_fetch(&control->failed, 1, __ATOMIC_RELAXED);
            return ENOMEM;
        }
    }
    return real(pointer, alignment, size);
}
