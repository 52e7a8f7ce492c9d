/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_SUITE_H
#define UNIT_SUITE_H

/* The main function of a unit test: SUITE_MAIN("buffer", test_that, test_this). Each test runs in a process of its own. */

#include <check.h>
#include <stdlib.h>

static inline int suite_run(const char *name, const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define SUITE_MAIN(name, ...)                                                                                          \
	int main(void)                                                                                                 \
	{                                                                                                              \
		const TTest *const tests[] = {__VA_ARGS__};                                                            \
                                                                                                                       \
		return suite_run(name, tests, sizeof(tests) / sizeof(tests[0]));                                       \
	}

#endif
