/*
 * The configuration file: names of long options and their values, one a line. Comments begin with #.
 *
 *     # what I always want
 *     fps = 60
 *     codec libx265
 *     quiet
 */
#ifndef DAIN_TOOL_CONFIG_H
#define DAIN_TOOL_CONFIG_H

typedef struct ConfigEntry {
    const char *name, *value; /* value "" if there is none */
    int line;
} ConfigEntry;

typedef struct Config {
    char path[4096];
    char *text; /* that the entries point into; values of options outlive everything else */
    ConfigEntry *entry;
    int count;
} Config;

/* Reads the file; path NULL: $XDG_CONFIG_HOME/dain/config or ~/.config/dain/config, which need not
 * exist. *config is kept until the program ends. EXIT_DONE, or EXIT_USAGE after a line about what is
 * wrong. */
int config_load(Config *config, const char *path);

#endif
