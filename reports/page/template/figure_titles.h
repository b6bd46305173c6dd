/* Different titles for the figures of a page. */
#ifndef REPORTS_PAGE_TEMPLATE_FIGURE_TITLES_H
#define REPORTS_PAGE_TEMPLATE_FIGURE_TITLES_H

#include <jansson.h>

/* Where figures (of figure_data, anywhere in the page's data) have the same title, adds to each what it shows. 0, or -1
 * when memory is short. */
int figure_titles_distinguish(json_t *data);

#endif
