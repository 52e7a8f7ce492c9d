// SPDX-License-Identifier: Apache-2.0

// A participant made with eProsima Fast DDS 2, whose dynamic types know plant::Fast of dds_types.idl (its type
// objects of enums end the program): writes samples of it.
//
//	dds_fast_peer DOMAIN write TOPIC Fast [undescribed]
//
// Commands and answers are those of dds_peer.c: match N, write A B; the end of the input ends it.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include <fastdds/dds/domain/DomainParticipant.hpp>
#include <fastdds/dds/domain/DomainParticipantFactory.hpp>
#include <fastdds/dds/publisher/DataWriter.hpp>
#include <fastdds/dds/publisher/Publisher.hpp>
#include <fastdds/dds/topic/TypeSupport.hpp>
#include <fastdds/rtps/transport/UDPv4TransportDescriptor.h>
#include <fastrtps/types/DynamicDataFactory.h>
#include <fastrtps/types/DynamicPubSubType.h>
#include <fastrtps/types/DynamicTypeBuilderFactory.h>
#include <fastrtps/utils/IPLocator.h>

using namespace eprosima::fastdds::dds;
using namespace eprosima::fastrtps;
using eprosima::fastdds::rtps::UDPv4TransportDescriptor;

enum { LIMIT_MS = 60000, PARTICIPANTS = 8 };

static types::DynamicType_ptr make_type()
{
	auto *factory = types::DynamicTypeBuilderFactory::get_instance();
	auto *reading = factory->create_struct_builder();

	reading->set_name("plant::Fast");
	reading->add_member(0, "id", factory->create_int32_type());
	reading->add_member(1, "seq", factory->create_uint32_type());
	reading->add_member(2, "value", factory->create_float64_type());
	reading->add_member(3, "text", factory->create_string_type());
	reading->apply_annotation(types::ANNOTATION_EXTENSIBILITY_ID, "value", types::EXTENSIBILITY_FINAL);
	reading->apply_annotation_to_member(0, types::ANNOTATION_KEY_ID, "value", "true");
	return reading->build();
}

static DomainParticipantQos make_qos(unsigned domain)
{
	auto transport = std::make_shared<UDPv4TransportDescriptor>();
	DomainParticipantQos qos;
	rtps::Locator_t own;

	transport->interfaceWhiteList.push_back("127.0.0.1");
	qos.transport().use_builtin_transports = false;
	qos.transport().user_transports.push_back(transport);
	rtps::IPLocator::setIPv4(own, 127, 0, 0, 1);
	qos.wire_protocol().builtin.metatrafficUnicastLocatorList.push_back(own); // and so no multicast
	qos.wire_protocol().builtin.typelookup_config.use_server = true;
	for (unsigned i = 0; i < PARTICIPANTS; i++) {
		rtps::Locator_t peer = own;

		peer.port = 7400 + 250 * domain + 10 + 2 * i;
		qos.wire_protocol().builtin.initialPeersList.push_back(peer);
	}
	return qos;
}

static bool wait_match(DataWriter *writer, int n)
{
	PublicationMatchedStatus status;

	for (int i = 0; i < LIMIT_MS / 10; i++) {
		writer->get_publication_matched_status(status);
		if (status.current_count == n)
			return true;
		std::this_thread::sleep_for(std::chrono::milliseconds(10));
	}
	return false;
}

static void write_some(DataWriter *writer, types::DynamicType_ptr type, int from, int to)
{
	auto *data = types::DynamicDataFactory::get_instance()->create_data(type);

	for (int n = from; n < to; n++) {
		data->set_int32_value(0, 0);
		data->set_uint32_value((uint32_t)n, 1);
		data->set_float64_value(n + 0.5, 2);
		data->set_string_value("fast " + std::to_string(n), 3);
		writer->write(data);
	}
	types::DynamicDataFactory::get_instance()->delete_data(data);
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	bool described = argc < 6 || strcmp(argv[5], "undescribed") != 0;
	unsigned domain = (unsigned)strtoul(argv[1], nullptr, 10);
	types::DynamicType_ptr type = make_type();
	auto *support = new types::DynamicPubSubType(type);
	TypeSupport owned(support);
	auto *participant = DomainParticipantFactory::get_instance()->create_participant(domain, make_qos(domain));
	char line[256];
	int a, b;

	support->auto_fill_type_information(described);
	support->auto_fill_type_object(described);
	if (!participant || owned.register_type(participant) != ReturnCode_t::RETCODE_OK)
		return 1;
	auto *topic = participant->create_topic(argv[3], support->getName(), TOPIC_QOS_DEFAULT);
	DataWriterQos qos = DATAWRITER_QOS_DEFAULT;
	qos.reliability().kind = eprosima::fastdds::dds::RELIABLE_RELIABILITY_QOS;
	qos.history().kind = eprosima::fastdds::dds::KEEP_ALL_HISTORY_QOS;
	auto *writer = participant->create_publisher(PUBLISHER_QOS_DEFAULT)->create_datawriter(topic, qos);
	puts(writer ? "ready" : "failed: no writer");
	fflush(stdout);
	while (writer && fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "match %d", &a) == 1) {
			puts(wait_match(writer, a) ? "matched" : "failed: not matched");
		} else if (sscanf(line, "write %d %d", &a, &b) == 2) {
			write_some(writer, type, a, b);
			puts("written");
		}
		fflush(stdout);
	}
	_Exit(0);
}
