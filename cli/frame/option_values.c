#include "cli/frame/option_values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const option_activation_dtypes[] = {"f32", "bf16", NULL};

/* A plain decimal number: strtod takes "nan", "0x1p3" and blanks too. */
static double plain_number(const char *text, char **end) {
    if (strspn(text, "0123456789.") == 0)
        return NAN;
    double value = strtod(text, end);
    return strspn(text, "0123456789.") == (size_t)(*end - text) ? value : NAN;
}

size_t word_count(const char *const *words) {
    size_t count = 0;
    while (words && words[count])
        count++;
    return count;
}

int word_percent(double *effect, const char *option, const char *text, attn_error *error) {
    char *end = NULL;
    double value = plain_number(text, &end);
    if (!(value >= 0 && value <= 1000) || (*end && strcmp(end, "%")))
        return attn_fail(error, "%s %s: expected 0 to 1000 percent", option, text);
    *effect = log1p(value / 100);
    return 0;
}

int word_duration(double *seconds, const char *option, const char *text, attn_error *error) {
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}};
    char *end = NULL;
    double value = plain_number(text, &end), scale = NAN;
    for (size_t i = 0; end && i < sizeof units / sizeof *units; i++)
        if (!strcmp(end, units[i].unit))
            scale = units[i].seconds;
    if (!(value * scale > 0 && value * scale <= 7 * 86400))
        return attn_fail(error, "%s %s: expected a time such as 90s, 5m or 1h, a week at most", option, text);
    *seconds = value * scale;
    return 0;
}
