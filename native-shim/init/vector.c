/* argv and envp for execve(2). */
#include "init.h"

char **make_vector(const struct wire_strs *list, const char *last) {
    struct wire_strs left = *list;
    size_t size = ((size_t)list->count + 2) * sizeof(char *);
    char **vector = sys_mmap(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    const char *text;
    size_t count = 0;

    if (sys_is_error(vector))
        return NULL;
    while ((text = strs_next(&left)) != NULL)
        vector[count++] = (char *)text;
    if (last != NULL)
        vector[count++] = (char *)last;
    vector[count] = NULL;
    return vector;
}
