/* swap A B: makes two files change places as fast as they can, until killed. */
#define _GNU_SOURCE
#include <stdio.h>

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    for (;;)
        if (renameat2(-100, argv[1], -100, argv[2], RENAME_EXCHANGE) != 0)
            return 1;
}
