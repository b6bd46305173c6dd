#include "harness/conversion/study.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "harness/conversion/analyze.h"

#include <string.h>
#include <unistd.h>

int study_compare(table *t, char **title, const study *s, attn_error *error) {
    attn_config configs[2];
    attn_model *models[2] = {NULL, NULL};
    calibration inputs = {0};
    char *what = NULL;
    int result = -1;
    if (study_load(&models[0], &configs[0], s->mha, s->mha_weights, s, error) ||
        study_load(&models[1], &configs[1], s->other, s->other_weights, s, error) ||
        analyze_check(&configs[0], &configs[1], error) || study_features(&inputs, s, &configs[0], error) ||
        !(what = study_features_text(s, &inputs, error)))
        goto done;
    analyze_plan plan = {.mha = models[0],
                         .other = models[1],
                         .inputs = &inputs.at,
                         .seq_len = s->seq_len,
                         .runs = s->runs,
                         .spectrum = s->spectrum};
    *title = attn_format(error,
                         "%s against mha on %s; cache at %zu frames, decoding with %zu keys: median of %zu "
                         "runs, random weights of that size, one thread",
                         configs[1].variant->name, what, s->seq_len, s->seq_len, s->runs);
    t->title = *title;
    result = *title ? analyze_models(t, &plan, error) : -1;
done:
    attn_free(what);
    calibration_free(&inputs);
    attn_model_free(models[0]);
    attn_model_free(models[1]);
    return result;
}

int study_fold(const study *s, const char *out_config, const char *out_weights, attn_error *error) {
    attn_config config;
    attn_model *model = NULL;
    attn_conversion made = {0};
    char *text = NULL, *weights = study_weights_path(s->other, s->other_weights, error);
    int result = -1;
    if (!weights || study_load(&model, &config, s->other, s->other_weights, s, error) ||
        attn_fold_model(&made, model, error) || !(text = attn_config_format(&made.config, error)) ||
        attn_conversion_save(&made, &config, weights, out_weights, error))
        goto done;
    result = attn_write_file(out_config, text, strlen(text), error);
    if (result)
        unlink(out_weights); /* both or none */
done:
    attn_free(text);
    attn_free(weights);
    attn_conversion_free(&made);
    attn_model_free(model);
    return result;
}
