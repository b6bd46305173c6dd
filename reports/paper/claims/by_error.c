/* Claims on the error of converted models, from what `attnbench analyze` measured. */
#include "base/text/json.h"

#include "reports/paper/claims/claim.h"

#include <math.h>
#include <string.h>

/* The published conversion and the best ones, at d_model and half of it. */
void claim_svd_error(claim_verdict *v, const claims_evidence *e) {
    static const char *const methods[] = {"average", "joint", "activation"};
    size_t i;
    const json_t *row;
    json_array_foreach(e->conversion, i, row) {
        double share = json_number(row, "latent_dim") / json_number(row, "d_model");
        double error = 100 * json_number(row, "output_error");
        bool known = false;
        for (size_t m = 0; m < sizeof methods / sizeof *methods; m++)
            known = known || !strcmp(json_text(row, "method"), methods[m]);
        if (!known || isnan(error) || (share != 1 && share != 0.5))
            continue;
        claim_add(v, claim_holds(error >= 5 && error <= 15), "%s, latent_dim %.0f: %.3g%%",
                  json_text(row, "method"), json_number(row, "latent_dim"), error);
        claim_size(v, "%s; %s", json_text(row, "subject"), json_text(row, "inputs"));
    }
}

/* The rows of outputs; of layers there is no claim. */
void claim_tuned_error(claim_verdict *v, const claims_evidence *e) {
    size_t i;
    const json_t *row;
    json_array_foreach(e->tuned, i, row) {
        double error = 100 * json_number(row, "relative_error");
        const char *model = json_text(row, "model");
        if (isnan(error) || (!*model && strcmp(json_text(row, "where"), "output, sums")))
            continue;
        claim_add(v, claim_holds(error < 5), "%s%s%.3g%%, %.3g times the cache", model, *model ? ": " : "",
                  error, json_number(row, "cache_bytes") / json_number(row, "cache_bytes_mha"));
        claim_size(v, "%s; %s", json_text(row, "subject"), json_text(row, "inputs"));
    }
}
