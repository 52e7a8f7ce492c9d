/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mock_internal.h"

static struct mock_keep *add(struct mock_host *mock, struct tg_bytes name, struct tg_bytes value)
{
	mock->keeps = mock_grow(mock->keeps, mock->n_keeps, sizeof(*mock->keeps));
	mock->keeps[mock->n_keeps] = (struct mock_keep){
		.name = mock_copy(name), .value = (uint8_t *)mock_copy(value), .value_size = value.size};
	return &mock->keeps[mock->n_keeps++];
}

void mock_note(struct mock_host *mock, struct tg_bytes name, struct tg_bytes value)
{
	add(mock, name, value)->answered = true;
}

int mock_keep(const struct tg_host *host, struct tg_bytes name, struct tg_bytes value, uint64_t token)
{
	struct mock_host *mock = (struct mock_host *)(uintptr_t)host;

	if (mock->keep_error)
		return mock->keep_error;
	if (name.size == 0 || name.size > TG_NOTE_NAME_MAX || value.size > TG_NOTE_VALUE_MAX)
		return -EMSGSIZE;
	add(mock, name, value)->token = token;
	return 0;
}

/* Whether one of the same name came later, and is kept. */
static bool is_outdated(const struct mock_host *mock, size_t place)
{
	for (size_t i = place + 1; i < mock->n_keeps; i++) {
		if (mock->keeps[i].answered && strcmp(mock->keeps[i].name, mock->keeps[place].name) == 0)
			return true;
	}
	return false;
}

const struct mock_keep *mock_noted(const struct mock_host *mock, const char *name)
{
	for (size_t i = mock->n_keeps; i-- > 0;) {
		if (mock->keeps[i].answered && strcmp(mock->keeps[i].name, name) == 0)
			return mock->keeps[i].value_size > 0 ? &mock->keeps[i] : NULL;
	}
	return NULL;
}

void mock_tell_notes(struct mock_host *mock)
{
	const struct tg_adapter *adapter = mock->adapter;

	for (size_t i = 0; i < mock->n_keeps && adapter->note; i++) {
		const struct mock_keep *keep = &mock->keeps[i];

		if (keep->answered && keep->value_size > 0 && !is_outdated(mock, i))
			adapter->note(mock->state, bytes_text(keep->name), bytes_of(keep->value, keep->value_size));
	}
	if (adapter->noted)
		adapter->noted(mock->state, mock->loss);
}

/* One that is refused is no note. */
void mock_kept(struct mock_host *mock, size_t place, int result)
{
	struct mock_keep *keep = &mock->keeps[place];
	uint64_t token = keep->token;

	if (keep->answered)
		mock_die("a keep was answered twice");
	keep->answered = true;
	if (result < 0)
		keep->name[0] = '\0';
	mock->adapter->kept(mock->state, token, result);
}

bool mock_answer_keeps(struct mock_host *mock)
{
	bool some = false;

	for (size_t i = 0; i < mock->n_keeps && !mock->keeps_wait; i++) {
		if (mock->keeps[i].answered)
			continue;
		mock_kept(mock, i, 0);
		some = true;
	}
	return some;
}

void mock_free_keeps(struct mock_host *mock)
{
	for (size_t i = 0; i < mock->n_keeps; i++) {
		free(mock->keeps[i].name);
		free(mock->keeps[i].value);
	}
	free(mock->keeps);
}
