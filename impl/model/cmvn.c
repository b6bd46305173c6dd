#include "impl/model/model.h"

#include <string.h>

int attn_model_set_cmvn(attn_model *model, const float *mean, const float *inverse_deviation,
                        attn_error *error) {
    size_t bytes = model->config.input_dim * sizeof *mean;
    model->embed.has_cmvn = true;
    if (attn_model_allocate(model, error))
        return -1;
    memcpy(model->embed.cmvn_mean, mean, bytes);
    memcpy(model->embed.cmvn_istd, inverse_deviation, bytes);
    return 0;
}

const float *attn_model_cmvn_mean(const attn_model *model) {
    return model->embed.has_cmvn ? model->embed.cmvn_mean : NULL;
}
