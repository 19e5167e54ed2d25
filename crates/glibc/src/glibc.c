// Functions of glibc in versions that glibc 2.28 has.
//
// The linker replaces each call of a function in `MOVED` (lib.rs) by a call of its `__wrap_` function. Symbols that glibc 2.28 does
// not have are defined here: a definition of the addon precedes that of a library.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OLDEST "GLIBC_2.2.5"
#define SETNAME "GLIBC_2.12"
#define STAT_VERSION 1
#else
// The first version of glibc for aarch64 and of most later architectures.
#define OLDEST "GLIBC_2.17"
#define SETNAME "GLIBC_2.17"
#define STAT_VERSION 0
#endif

#define HIDDEN __attribute__((visibility("hidden")))

#define WRAP(version, type, name, parameters, ...)           \
    extern type oldest_##name parameters;                    \
    __asm__(".symver oldest_" #name "," #name "@" version);  \
    HIDDEN type __wrap_##name parameters;                    \
    HIDDEN type __wrap_##name parameters { return oldest_##name(__VA_ARGS__); }

WRAP(OLDEST, int, dladdr, (const void *address, Dl_info *info), address, info)
WRAP(OLDEST, int, dlclose, (void *library), library)
WRAP(OLDEST, char *, dlerror, (void), )
WRAP(OLDEST, void *, dlopen, (const char *path, int mode), path, mode)
WRAP(OLDEST, void *, dlsym, (void *library, const char *name), library, name)
WRAP(OLDEST, int, pthread_attr_setstacksize, (pthread_attr_t *attributes, size_t size), attributes, size)
WRAP(OLDEST, int, pthread_create,
     (pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument), thread, attributes,
     start, argument)
WRAP(OLDEST, int, pthread_detach, (pthread_t thread), thread)
WRAP(OLDEST, int, pthread_join, (pthread_t thread, void **result), thread, result)
WRAP(OLDEST, int, pthread_key_create, (pthread_key_t *key, void (*destroy)(void *)), key, destroy)
WRAP(OLDEST, int, pthread_key_delete, (pthread_key_t key), key)
WRAP(SETNAME, int, pthread_setname_np, (pthread_t thread, const char *name), thread, name)
WRAP(OLDEST, int, pthread_setspecific, (pthread_key_t key, const void *value), key, value)

// Before 2.33 these are inline functions of headers, which call the functions below.
extern int __xstat64(int version, const char *path, struct stat64 *result);
extern int __lxstat64(int version, const char *path, struct stat64 *result);
extern int __fxstat64(int version, int file, struct stat64 *result);
extern int __fxstatat64(int version, int folder, const char *path, struct stat64 *result, int flags);

HIDDEN int stat64(const char *path, struct stat64 *result) { return __xstat64(STAT_VERSION, path, result); }
HIDDEN int lstat64(const char *path, struct stat64 *result) { return __lxstat64(STAT_VERSION, path, result); }
HIDDEN int fstat64(int file, struct stat64 *result) { return __fxstat64(STAT_VERSION, file, result); }
HIDDEN int fstatat64(int folder, const char *path, struct stat64 *result, int flags) {
    return __fxstatat64(STAT_VERSION, folder, path, result, flags);
}

// Of 2.30. A weak reference of Rust's, but the linker notes its version as needed.
HIDDEN pid_t gettid(void) { return (pid_t)syscall(SYS_gettid); }

// Of 2.32. False: reference counts of shared pointers stay atomic.
HIDDEN char __libc_single_threaded = 0;
