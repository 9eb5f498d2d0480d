/* Output files: under their name when complete, and only then. */
#include "test.h"

#include "base/mem.h"
#include "dain/dain.h"
#include "media/outfile.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/dain-outfile-XXXXXX", path[64];
static Report report;

static void put(const char *name, const char *text)
{
    FILE *const f = fopen(name, "w");
    if (CHECK(f != NULL)) {
        fputs(text, f);
        fclose(f);
    }
}

static const char *content(const char *name)
{
    static char text[64];
    FILE *const f = fopen(name, "r");
    if (!f)
        return NULL;
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

static void begin(void)
{
    if (!folder[0] || access(folder, F_OK) != 0) {
        strcpy(folder, "/tmp/dain-outfile-XXXXXX");
        CHECK(mkdtemp(folder) != NULL);
    }
    snprintf(path, sizeof path, "%s/out", folder);
    unlink(path);
}

static void end(void)
{
    unlink(path);
    CHECK_INT(rmdir(folder), 0); /* fails if anything is left */
}

static void commit(void)
{
    begin();
    OutFile f;
    CHECK_INT(outfile_open(&f, path, NULL, false, &report), DAIN_OK);
    put(outfile_path(&f), "new");
    CHECK(content(path) == NULL);
    CHECK_INT(outfile_commit(&f, &report), DAIN_OK);
    CHECK_STRING(content(path), "new");
    struct stat st;
    const mode_t mask = umask(0);
    umask(mask);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == (0666 & ~mask));
    end();
}

static void abandon(void)
{
    begin();
    put(path, "old");
    OutFile f;
    CHECK_INT(outfile_open(&f, path, NULL, false, &report), DAIN_EINVAL);
    CHECK_CONTAINS(report.error, "exists already");
    CHECK_INT(outfile_open(&f, path, NULL, true, &report), DAIN_OK);
    put(outfile_path(&f), "new");
    outfile_abandon(&f);
    outfile_abandon(&f);
    CHECK_STRING(content(path), "old");
    end();
}

static void appears_meanwhile(void)
{
    begin();
    OutFile f;
    CHECK_INT(outfile_open(&f, path, NULL, false, &report), DAIN_OK);
    put(outfile_path(&f), "mine");
    put(path, "theirs");
    CHECK_INT(outfile_commit(&f, &report), DAIN_EIO);
    CHECK_STRING(content(path), "theirs");
    end();
}

static void input(void)
{
    begin();
    put(path, "in");
    const char *const inputs[] = { "/dev/null", path, NULL };
    OutFile f;
    CHECK_INT(outfile_open(&f, path, inputs, true, &report), DAIN_EINVAL);
    CHECK_CONTAINS(report.error, "is the input itself");
    CHECK_STRING(content(path), "in");
    end();
}

static void devices(void)
{
    OutFile f;
    CHECK_INT(outfile_open(&f, "/dev/null", NULL, false, &report), DAIN_OK);
    CHECK_STRING(outfile_path(&f), "/dev/null");
    CHECK_INT(outfile_commit(&f, &report), DAIN_OK);
    CHECK(access("/dev/null", F_OK) == 0);
}

static void remove_all(void)
{
    begin();
    OutFile f;
    CHECK_INT(outfile_open(&f, path, NULL, false, &report), DAIN_OK);
    CHECK(access(outfile_path(&f), F_OK) == 0);
    outfile_remove_all();
    CHECK(access(outfile_path(&f), F_OK) != 0);
    outfile_abandon(&f);
    end();
}

static void locked(void)
{
    begin();
    OutFile first, second;
    CHECK_INT(outfile_open(&first, path, NULL, false, &report), DAIN_OK);
    CHECK_INT(outfile_open(&second, path, NULL, true, &report), DAIN_EIO);
    CHECK_CONTAINS(report.error, "another run is writing");
    outfile_abandon(&second);
    outfile_abandon(&first);
    CHECK_INT(outfile_open(&second, path, NULL, false, &report), DAIN_OK);
    outfile_abandon(&second);
    end();
}

static void left_over(void)
{
    begin();
    char *const name = outfile_beside(path, ".dain-part");
    put(name, "what a killed run left, longer than the new one");
    OutFile f;
    CHECK_INT(outfile_open(&f, path, NULL, false, &report), DAIN_OK);
    CHECK_STRING(outfile_path(&f), name);
    CHECK_STRING(content(name), "");
    CHECK_INT(outfile_commit(&f, &report), DAIN_OK);
    mem_free(name);
    end();
}

static void not_a_file(void)
{
    begin();
    char *const name = outfile_beside(path, ".dain-part");
    CHECK_INT(symlink("/dev/null", name), 0);
    OutFile f;
    CHECK_INT(outfile_open(&f, path, NULL, false, &report), DAIN_EIO);
    unlink(name);
    CHECK_INT(mkfifo(name, 0600), 0);
    CHECK_INT(outfile_open(&f, path, NULL, false, &report), DAIN_EIO);
    unlink(name);
    mem_free(name);
    end();
}

static void beside(void)
{
    char longest[300] = "folder/", other[300];
    memset(longest + 7, 'x', 255);
    longest[7 + 255] = 0;
    strcpy(other, longest);
    other[7 + 254] = 'y';
    char *const a = outfile_beside("a/b.mkv", ".s"), *const b = outfile_beside("b", ".s");
    char *const c = outfile_beside(longest, ".s"), *const d = outfile_beside(other, ".s");
    CHECK_STRING(a, "a/.b.mkv.s");
    CHECK_STRING(b, ".b.s");
    CHECK_INT(strlen(c), 7 + 255);
    CHECK(strcmp(c, d) != 0 && !strncmp(c, "folder/.x", 9));
    mem_free(a);
    mem_free(b);
    mem_free(c);
    mem_free(d);
}

static void check_resolved(const char *name, const char *want)
{
    char *const found = outfile_resolve(name);
    CHECK_STRING(found, want);
    mem_free(found);
}

static void links(void)
{
    begin();
    char link[96], second[96], ring[96];
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(second, sizeof second, "%s/second", folder);
    snprintf(ring, sizeof ring, "%s/ring", folder);
    CHECK_INT(symlink("out", link), 0);
    CHECK_INT(symlink(link, second), 0);
    CHECK_INT(symlink("ring", ring), 0);
    check_resolved(second, path); /* which is not there yet */
    check_resolved(ring, ring);
    OutFile f;
    CHECK_INT(outfile_open(&f, second, NULL, false, &report), DAIN_OK);
    put(outfile_path(&f), "new");
    CHECK_INT(outfile_commit(&f, &report), DAIN_OK);
    CHECK_STRING(content(path), "new");
    struct stat st;
    CHECK(lstat(second, &st) == 0 && S_ISLNK(st.st_mode));
    CHECK(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
    check_resolved(second, path);
    unlink(link);
    unlink(second);
    unlink(ring);
    end();
}

static const Test tests[] = {
    { "a file gets its name and usual permissions when it is complete", commit },
    { "an abandoned file leaves the old one alone", abandon },
    { "a file that appears meanwhile is not replaced", appears_meanwhile },
    { "an input is no output", input },
    { "devices are written directly and stay", devices },
    { "a link is followed to where its file is or will be", links },
    { "a file that is being written is locked", locked },
    { "what a killed run left is written over", left_over },
    { "what is no file in the place of the temporary one is not written to", not_a_file },
    { "what lies beside a target has its name, cut if it must be", beside },
    { "all temporary files can be removed at once", remove_all },
};
TEST_MAIN(tests)
