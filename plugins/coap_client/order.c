/* SPDX-License-Identifier: Apache-2.0 */
#include "order.h"

enum { ORDER_MASK = (1 << 24) - 1, ORDER_HALF = 1 << 23, ORDER_FAR = 1 << 22, ORDER_OLD_S = 128 };

static bool is_newer(const struct order *order, uint32_t number, int64_t now_us)
{
	if (!order->begun || now_us > order->at_us + ORDER_OLD_S * INT64_C(1000000))
		return true;
	if (order->number < number)
		return number - order->number < ORDER_HALF;
	return order->number > number && order->number - number > ORDER_HALF;
}

bool order_take(struct order *order, uint32_t number, int64_t now_us)
{
	if (!is_newer(order, number, now_us))
		return false;
	*order = (struct order){.begun = true, .number = number, .at_us = now_us};
	return true;
}

bool order_take_protected(struct order *order, uint32_t number, bool *ret_far)
{
	uint32_t step = order->begun ? (number - order->number) & ORDER_MASK : 1;

	*ret_far = false;
	if (step == 0 || step >= ORDER_HALF)
		return false;
	order->begun = true;
	order->number = number;
	order->span += step;
	*ret_far = order->span >= ORDER_FAR;
	return true;
}
