/* Output files: under their name when complete, and only then. */
#include "test.h"

#include "dain/dain.h"
#include "media/outfile.h"

#include <stdbool.h>
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

static const Test tests[] = {
    { "a file gets its name and usual permissions when it is complete", commit },
    { "an abandoned file leaves the old one alone", abandon },
    { "a file that appears meanwhile is not replaced", appears_meanwhile },
    { "an input is no output", input },
    { "devices are written directly and stay", devices },
    { "all temporary files can be removed at once", remove_all },
};
TEST_MAIN(tests)
