#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# dds_pki.sh FOLDER: what DDS Security wants, for a gateway and for peers good and bad. FOLDER has the gateway's; each folder in it
# is one peer's: good (all as it should be), stranger (another CA), expired (since yesterday), reader (may only read).
set -eu
mkdir -p "$1"
cd "$1"

issue() { # FILE CA START END [OPTION...]
	issue_file=$1 issue_ca=$2 issue_start=$3 issue_end=$4
	shift 4
	: >"$issue_ca.index"
	cat >ca.cnf <<EOF
[ca]
default_ca = c
[c]
database = $issue_ca.index
rand_serial = yes
default_md = sha256
policy = p
[p]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
EOF
	openssl ca -batch -notext -config ca.cnf -keyfile "$issue_ca.key" -in "$issue_file.csr" -out "$issue_file.crt" -outdir . \
		-startdate "$issue_start" -enddate "$issue_end" "$@" 2>/dev/null
}

request() { # FILE NAME
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" 2>/dev/null
}

authority() { # FILE NAME
	request "$1" "$2"
	issue "$1" "$1" 20200101000000Z 20371231235959Z -selfsign -extensions authority
}

leaf() { # FILE NAME CA [END]
	request "$1" "$2"
	issue "$1" "$3" 20200101000000Z "${4:-20371231235959Z}" -cert "$3.crt"
}

sign() { # FILE
	openssl smime -sign -text -in "$1.xml" -out "$1.p7s" -signer permissions-ca.crt -inkey permissions-ca.key
}

permissions() { # FILE NAME RULES
	cat >"$1.xml" <<EOF
<?xml version="1.0" encoding="UTF-8"?>
<dds xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
	xsi:noNamespaceSchemaLocation="https://www.omg.org/spec/DDS-SECURITY/20170901/omg_shared_ca_permissions.xsd">
<permissions><grant name="$2"><subject_name>CN=$2</subject_name>
<validity><not_before>2020-01-01T00:00:00</not_before><not_after>2037-12-31T00:00:00</not_after></validity>
<allow_rule><domains><id_range><min>0</min><max>230</max></id_range></domains>$3</allow_rule>
<default>DENY</default></grant></permissions></dds>
EOF
	sign "$1"
}

publish='<publish><topics><topic>*</topic></topics><partitions><partition>*</partition></partitions></publish>'
subscribe='<subscribe><topics><topic>*</topic></topics><partitions><partition>*</partition></partitions></subscribe>'

authority identity-ca "DDS identities"
authority permissions-ca "DDS permissions"
authority other-ca "Somebody else"

cat >governance.xml <<EOF
<?xml version="1.0" encoding="UTF-8"?>
<dds xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
	xsi:noNamespaceSchemaLocation="https://www.omg.org/spec/DDS-SECURITY/20170901/omg_shared_ca_governance.xsd">
<domain_access_rules><domain_rule><domains><id_range><min>0</min><max>230</max></id_range></domains>
<allow_unauthenticated_participants>false</allow_unauthenticated_participants>
<enable_join_access_control>true</enable_join_access_control>
<discovery_protection_kind>ENCRYPT</discovery_protection_kind>
<liveliness_protection_kind>ENCRYPT</liveliness_protection_kind>
<rtps_protection_kind>NONE</rtps_protection_kind>
<topic_access_rules><topic_rule><topic_expression>*</topic_expression>
<enable_discovery_protection>true</enable_discovery_protection>
<enable_liveliness_protection>true</enable_liveliness_protection>
<enable_read_access_control>true</enable_read_access_control>
<enable_write_access_control>true</enable_write_access_control>
<metadata_protection_kind>ENCRYPT</metadata_protection_kind>
<data_protection_kind>ENCRYPT</data_protection_kind>
</topic_rule></topic_access_rules></domain_rule></domain_access_rules></dds>
EOF
sign governance

leaf gateway gateway identity-ca
permissions gateway gateway "$publish$subscribe"
for peer in good stranger expired reader; do
	mkdir -p $peer
	case $peer in
	stranger) leaf $peer peer-$peer other-ca ;;
	expired) leaf $peer peer-$peer identity-ca 20210101000000Z ;;
	*) leaf $peer peer-$peer identity-ca ;;
	esac
	case $peer in
	reader) permissions $peer peer-$peer "$subscribe" ;;
	*) permissions $peer peer-$peer "$publish$subscribe" ;;
	esac
	cp $peer.crt $peer/peer.crt
	cp $peer.key $peer/peer.key
	cp $peer.p7s $peer/peer.p7s
	cp permissions-ca.crt governance.p7s $peer
	cp identity-ca.crt $peer/identity-ca.crt
done
# It knows its own CA alone, or it would not even begin.
cp other-ca.crt stranger/identity-ca.crt
leaf late-gateway gateway identity-ca 20210101000000Z
