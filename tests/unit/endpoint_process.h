/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ENDPOINT_PROCESS_H
#define TESTS_ENDPOINT_PROCESS_H

/* An endpoint process that behaves as its endpoint's name says: good, crash, hang, garbage, wrong-way, wrong-turn, old, liar. The good
 * one waits for the next core where one has gone; all end with the test. For tests whose program starts itself again as one. */

/* The whole process, as it was started; returns what main returns. */
int endpoint_process(char **argv);

#endif
