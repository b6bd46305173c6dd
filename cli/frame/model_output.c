#include "cli/frame/model_output.h"

#include "base/options.h"

#include <string.h>

int model_output_check(const char *out_config, const char *out_weights, const char *const from[][2], size_t n,
                       attn_error *error) {
    if (option_needs("--out-config", out_config, error) || option_needs("--out-weights", out_weights, error))
        return -1;
    if (!strcmp(out_config, out_weights))
        return attn_fail(error, "--out-config and --out-weights: both are %s", out_config);
    for (size_t i = 0; i < n; i++)
        if (option_distinct("--out-config", out_config, from[i][0], from[i][1], error) ||
            option_distinct("--out-weights", out_weights, from[i][0], from[i][1], error))
            return -1;
    return option_distinct("--out-weights", out_weights, "--out-config", out_config, error);
}
