/* Memory: alignment, limits, counting, injected failures. */
#include "test.h"

#include "base/mem.h"

static void aligned_and_writable(void)
{
    static const size_t sizes[] = { 0, 1, 63, 64, 65, 4097, 1 << 20 };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        unsigned char *p = mem_alloc(sizes[i]);
        if (!CHECK(p != NULL))
            continue;
        CHECK_INT((uintptr_t)p % MEM_ALIGN, 0);
        memset(p, 0xa5, sizes[i]);
        mem_free(p);
    }
}

static void zeroed(void)
{
    /* Dirty a block first, so that fresh pages of the system do not make this true by chance. */
    unsigned char *p = mem_alloc(3000);
    if (CHECK(p != NULL))
        memset(p, 0xff, 3000);
    mem_free(p);
    p = mem_calloc(1000, 3);
    if (!CHECK(p != NULL))
        return;
    for (int i = 0; i < 3000; i++)
        if (!CHECK_INT(p[i], 0))
            break;
    mem_free(p);
}

static void absurd_sizes(void)
{
    const long before = mem_live();
    /* volatile: compilers warn about such sizes when they see them */
    volatile size_t huge = SIZE_MAX;
    CHECK(mem_alloc(huge) == NULL);
    CHECK(mem_alloc(huge / 4 + 1) == NULL);
    CHECK(mem_calloc(huge / 2, 3) == NULL);
    CHECK(mem_calloc(huge / 2 + 1, 2) == NULL); /* the product wraps to 0 */
    CHECK(mem_calloc(2, huge / 2 + 1) == NULL);
    CHECK_INT(mem_live(), before);
    void *p = mem_calloc(huge, 0);
    CHECK(p != NULL);
    mem_free(p);
}

static void strings_copied(void)
{
    const char text[] = "depth-aware";
    char *copy = mem_strdup(text);
    if (!CHECK(copy != NULL))
        return;
    CHECK(copy != text);
    CHECK_STRING(copy, text);
    mem_free(copy);
}

static void counted(void)
{
    const long count = mem_count(), live = mem_live();
    void *a = mem_alloc(1), *b = mem_calloc(1, 1);
    CHECK_INT(mem_count() - count, 2);
    CHECK_INT(mem_live() - live, 2);
    mem_free(a);
    mem_free(NULL);
    CHECK_INT(mem_live() - live, 1);
    mem_free(b);
    CHECK_INT(mem_live(), live);
}

static void nth_fails(void)
{
    const long live = mem_live();
    for (int n = 1; n <= 4; n++) {
        void *p[4];
        mem_fail_at(n);
        for (int i = 0; i < 4; i++) {
            p[i] = i % 2 ? mem_calloc(1, 8) : mem_alloc(8);
            CHECK_INT(p[i] == NULL, i + 1 == n);
        }
        for (int i = 0; i < 4; i++)
            mem_free(p[i]);
    }
    mem_fail_at(1);
    mem_fail_at(0);
    char *s = mem_strdup("x");
    CHECK(s != NULL);
    mem_free(s);
    mem_fail_at(1);
    CHECK(mem_strdup("x") == NULL);
    mem_fail_at(0);
    CHECK_INT(mem_live(), live);
}

static const Test tests[] = {
    { "blocks of any size are aligned to 64 bytes and writable", aligned_and_writable },
    { "calloc gives zeros", zeroed },
    { "absurd sizes and overflowing products give NULL", absurd_sizes },
    { "strdup copies", strings_copied },
    { "allocations and live blocks are counted", counted },
    { "the n-th allocation fails when told to, and no other", nth_fails },
};

TEST_MAIN(tests)
