/* Pictures of a study: error rate and loss against cache bytes, latency and latent_dim, and learning curves, of each
 * model. */
#ifndef REPORTS_STUDY_PICTURES_STUDY_PLOTS_H
#define REPORTS_STUDY_PICTURES_STUDY_PLOTS_H

#include "reports/plots/run/gnuplot.h"
#include "reports/study/study_data.h"

/* Writes study_N_NAME.dat, .gp, .svg, .png and .pdf into the folder (made), removes what an earlier report left of them,
 * and fills d->figures. A picture that cannot be drawn is noted in `drawn`, and is no error. */
int study_plots_draw(study_data *d, const char *folder, drawing *drawn, attn_error *error);

#endif
