/* What a configuration says about its model's features, for those who run it. */
#include "attn/config.h"

const char *attn_speech_note(const attn_config *config) {
    if (config->features == ATTN_FEATURES_FBANK)
        return "";
    return "features: other: the model was trained on features of another front end than those that --data "
           "makes of speech, and they are not what it expects";
}

const char *attn_feature_norm_note(const attn_config *config, bool applied) {
    if (config->feature_norm == ATTN_FEATURE_NORM_UTTERANCE)
        return "feature_norm: utterance_mvn: the model expects features that are normalised by utterance, "
               "which nothing here does";
    if (config->feature_norm == ATTN_FEATURE_NORM_GLOBAL && !applied)
        return "feature_norm: global_mvn: the model was trained on normalised features, but the checkpoint "
               "has no global_cmvn.mean and global_cmvn.istd: on features as they are it gives other results";
    return "";
}
