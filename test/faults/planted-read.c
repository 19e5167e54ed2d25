/* A planted bug that a checker of memory must find: a library that reads memory which it has freed, when it is loaded. */

#include <stdlib.h>

volatile int stepwell_read;

__attribute__((constructor)) static void read_freed_memory(void) {
    volatile int *numbers = malloc(10 * sizeof(int));
    numbers[3] = 1;
    free((void *)numbers);
    stepwell_read = numbers[3];
}
