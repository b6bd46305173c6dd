/* Every unit of this CPU makes the products that it should; prints the names of those that are there. */
#include "bench/limits/machine_units.h"

#include <stdio.h>

int main(void) {
    static const size_t rounds[] = {1, 7, 1000, MACHINE_UNIT_ROUNDS};
    for (size_t i = 0; i < machine_unit_count; i++) {
        const machine_unit *unit = &machine_units[i];
        if (!unit->present())
            continue;
        printf("%s\n", unit->name);
        for (size_t r = 0; r < sizeof rounds / sizeof *rounds; r++) {
            double right = (double)rounds[r] * machine_unit_multiply_adds(unit), found = unit->run(rounds[r]);
            if (!(found >= right && found <= right)) {
                printf("%s: %g products, expected %g\n", unit->name, found, right);
                return 1;
            }
        }
    }
    return 0;
}
