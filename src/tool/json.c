/* Writing JSON. */
#include "tool/json.h"

/* Length of the UTF-8 sequence at s, 0 if it is not one (file names need not be). */
static int utf8_length(const unsigned char *s)
{
    const int length = s[0] < 0x80                    ? 1
                       : s[0] >= 0xc2 && s[0] <= 0xdf ? 2
                       : (s[0] & 0xf0) == 0xe0        ? 3
                       : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
                                                      : 0;
    for (int i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    const int overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    const int outside = (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf4 && s[1] >= 0x90);
    return overlong || outside ? 0 : length;
}

void json_print(FILE *f, const char *text)
{
    if (!text) {
        fputs("null", f);
        return;
    }
    fputc('"', f);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        const int length = utf8_length(s);
        if (length == 0)
            fputs("\\ufffd", f);
        else if (*s == '"' || *s == '\\')
            fprintf(f, "\\%c", *s);
        else if (*s < 0x20)
            fprintf(f, "\\u%04x", *s);
        else
            fwrite(s, 1, length, f);
        s += length ? length : 1;
    }
    fputc('"', f);
}
