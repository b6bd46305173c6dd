/* Titles of figures that can be told from each other. */
#ifndef REPORTS_PAGE_TEMPLATE_FIGURE_TITLES_H
#define REPORTS_PAGE_TEMPLATE_FIGURE_TITLES_H

#include <jansson.h>

/* Adds what it shows to the title of each figure (of figure_data) in the page's data whose title is another one's too.
 * 0, or -1 when memory is short. */
int figure_titles_tell_apart(json_t *data);

#endif
