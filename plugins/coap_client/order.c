/* SPDX-License-Identifier: Apache-2.0 */
#include "order.h"

enum { ORDER_HALF = 1 << 23, ORDER_OLD_S = 128 };

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

bool order_take_protected(struct order *order, uint64_t number)
{
	if (order->begun && number <= order->partial_iv)
		return false;
	order->begun = true;
	order->partial_iv = number;
	return true;
}
