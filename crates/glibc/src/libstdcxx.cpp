// Functions of libstdc++ that are newer than the libstdc++ that libtorch needs (GLIBCXX 3.4.22), which compilers call for inline
// functions of its headers.

#include <new>
#include <sstream>

#define HIDDEN __attribute__((visibility("hidden")))

// Of 3.4.29: std::__throw_bad_array_new_length().
extern "C" [[noreturn]] HIDDEN void _ZSt28__throw_bad_array_new_lengthv() { throw std::bad_array_new_length(); }

// Of 3.4.26: the constructor of std::ostringstream without arguments.
extern "C" HIDDEN void _ZNSt7__cxx1119basic_ostringstreamIcSt11char_traitsIcESaIcEEC1Ev(void *self) {
    new (self) std::ostringstream(std::ios_base::out);
}
