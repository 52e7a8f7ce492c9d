/* SPDX-License-Identifier: Apache-2.0 */
#include "sequence.h"

void sequence_begin(struct sequence *sequence, uint64_t kept)
{
	*sequence = (struct sequence){.next = kept, .reserved = kept};
}

bool sequence_may(const struct sequence *sequence)
{
	return sequence->next < sequence->reserved && sequence->next < SEQUENCE_END;
}

void sequence_used(struct sequence *sequence, uint64_t next)
{
	if (next > sequence->next)
		sequence->next = next;
}

bool sequence_is_at_its_end(const struct sequence *sequence)
{
	return sequence->next >= SEQUENCE_END;
}

uint64_t sequence_ask(struct sequence *sequence)
{
	uint64_t left = sequence->reserved > sequence->next ? sequence->reserved - sequence->next : 0;
	uint64_t from = left > 0 ? sequence->reserved : sequence->next;

	if (sequence->asked > 0 || left > SEQUENCE_AHEAD / 2 || from >= SEQUENCE_END)
		return 0;
	sequence->asked = from + SEQUENCE_AHEAD;
	return sequence->asked;
}

void sequence_answered(struct sequence *sequence, bool kept)
{
	if (kept && sequence->asked > sequence->reserved)
		sequence->reserved = sequence->asked;
	sequence->asked = 0;
}
