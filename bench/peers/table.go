//go:build linux || darwin

package peers

import (
	"fmt"
	"os"
	"strconv"
)

// Peers are the programs that flowfast is compared with. Times and sizes are as
// they write them: none has quartiles or medians. To add one, add an entry.
//
// Where a program can be told when a flow ends, it is told what comes nearest
// to flowfast's rule: after 600 seconds of silence, not because of its age (of
// which nfpcapd allows an hour).
var Peers = []*Peer{
	{
		Name:     "softflowd",
		Get:      "apt-get install softflowd",
		Computes: "NetFlow in C: bidirectional flows (IPFIX), packets and IP bytes of both directions, first and last time, the TCP flags seen but no counts of them",
		Columns:  11,
		program:  "softflowd",
		version:  []string{"-h"},
		arguments: func(j Job) ([]string, error) {
			return []string{
				"-d", "-r", j.Capture, "-a", "-n", j.Collector, "-v", "10", "-b", "-6",
				"-m", strconv.Itoa(max(8192, j.Packets)), // more flows than its own limit of 8192
				"-t", "tcp=600", "-t", "tcp.rst=600", "-t", "tcp.fin=600", "-t", "udp=600", "-t", "general=600",
				"-p", j.path("pid"), "-c", "none", // with a control socket it may wait for somebody to connect
			}, nil
		},
		counts: func(j Job) (Counts, error) {
			return logCounts(j, `Packets processed: (\d+)`, `Flows expired: (\d+)`)
		},
	},
	{
		Name:     "nfpcapd",
		Get:      "apt-get install nfdump",
		Computes: "NetFlow in C: flows of one direction, so two for a conversation; packets and IP bytes, first and last time, the TCP flags seen but no counts of them",
		Columns:  11,
		program:  "nfpcapd",
		version:  []string{"-V"},
		arguments: func(j Job) ([]string, error) {
			return []string{"-e", "3600,600", "-r", j.Capture, "-w", j.Dir}, nil
		},
		counts: func(j Job) (Counts, error) {
			return logCounts(j, `Total: Processed: (\d+)`, `Ident: '\w+' Flows: (\d+)`)
		},
	},
	{
		Name:     "argus",
		Get:      "apt-get install argus-server argus-client",
		Computes: "in C: bidirectional flows; packets and bytes, minimum, mean and maximum of sizes (-Z) and of inter-arrival times (-J) by direction; TCP state and flags seen but no counts of them. Sleeps up to a second",
		Columns:  19,
		flood:    300_000, // some 2.7 GB for a million flows
		pauses:   true,
		program:  "argus",
		version:  []string{"-h"},
		arguments: func(j Job) ([]string, error) {
			return []string{"-F", "/dev/null", "-S", "86400", "-J", "-Z", "-r", j.Capture, "-w", j.path("argus")}, nil
		},
		counts: argusCounts,
	},
	{
		Name:     "ndpiReader",
		Get:      "apt-get install libndpi-bin",
		Computes: "nDPI's example in C: bidirectional flows; packets and bytes, minimum, mean, maximum and deviation of sizes and inter-arrival times (ms) and counts of all eight flags by direction; and the application. Leaves unknown applications out of its CSV",
		Columns:  35,
		most:     1_000_000,
		flood:    100_000,
		program:  "ndpiReader",
		version:  []string{"-h"},
		arguments: func(j Job) ([]string, error) {
			return []string{"-i", j.Capture, "-C", j.path("flows.csv")}, nil
		},
		counts: func(j Job) (Counts, error) {
			return logCounts(j, `IP packets:\s+(\d+)`, `Unique flows:\s+(\d+)`)
		},
	},
	{
		Name:     "tcptrace",
		Get:      "apt-get install tcptrace",
		Computes: "in C: bidirectional TCP connections and UDP pairs; packets and payload bytes, counts of ACK, SYN, FIN, RST, PSH and URG packets, extremes of payload sizes, the longest pause, windows, retransmissions",
		Columns:  23,
		most:     1_000_000,
		flood:    50_000,
		program:  "tcptrace",
		version:  []string{"-h"},
		arguments: func(j Job) ([]string, error) {
			return []string{"-n", "-u", "-l", j.Capture}, nil
		},
		counts: func(j Job) (Counts, error) {
			return logCounts(j, `^(\d+) packets seen`, `^(\d+) (?:TCP|UDP) connections traced`)
		},
	},
	{
		Name:     "pmacctd",
		Get:      "apt-get install pmacct",
		Computes: "accounting in C: one direction, packets and IP bytes of each five-tuple and the TCP flags seen; no times. Sleeps between batches",
		Columns:  9,
		most:     120_000,
		pauses:   true,
		program:  "pmacctd",
		version:  []string{"-V"},
		arguments: func(j Job) ([]string, error) {
			conf := fmt.Sprintf("daemonize: false\npcap_savefile: %s\npcap_savefile_delay: 1\nplugins: print\n"+
				"aggregate: src_host,dst_host,src_port,dst_port,proto,tcpflags\n"+
				"print_output: csv\nprint_output_file: %s\nprint_refresh_time: 3600\n", j.Capture, j.path("flows.csv"))
			return []string{"-f", j.path("conf")}, os.WriteFile(j.path("conf"), []byte(conf), 0o666)
		},
		counts: func(j Job) (Counts, error) { return csvCounts(j.path("flows.csv"), "PACKETS") },
	},
	{
		Name:     "tshark",
		Get:      "apt-get install tshark",
		Computes: "Wireshark's dissection in C, -z conv: bidirectional conversations without a timeout; packets and rounded bytes of both directions, start and duration",
		Columns:  11,
		most:     400_000,
		flood:    300_000,
		program:  "tshark",
		version:  []string{"-v"},
		arguments: func(j Job) ([]string, error) {
			return []string{"-q", "-n", "-r", j.Capture, "-z", "conv,tcp", "-z", "conv,udp"}, nil
		},
		counts: tsharkCounts,
	},
	{
		Name:     "NFStream",
		Get:      pipInstalls,
		Computes: "Python on an engine in C, as many processes as cores: bidirectional flows; packets and bytes, minimum, mean, maximum and deviation of sizes and inter-arrival times (ms) and counts of all eight flags by direction (statistical_analysis). Recognising applications is off",
		Columns:  35,
		most:     500_000,
		flood:    50_000,
		program:  python,
		version:  versionOf("nfstream"),
		arguments: func(j Job) ([]string, error) {
			const script = "import sys; from nfstream import NFStreamer; NFStreamer(source=sys.argv[1], statistical_analysis=True, " +
				"n_dissections=0, idle_timeout=600, active_timeout=86400).to_csv(sys.argv[2])"
			return []string{"-c", script, j.Capture, j.path("flows.csv")}, nil
		},
		counts: func(j Job) (Counts, error) { return csvCounts(j.path("flows.csv"), "bidirectional_packets") },
	},
	{
		Name:     "netflower",
		Get:      pipInstalls,
		Computes: "Python on dpkt: bidirectional flows of IPv4; packets and bytes, minimum, mean, maximum and deviation of sizes and inter-arrival times by direction, counts of flags (PSH, URG by direction), and more of the CIC features",
		Columns:  23,
		most:     120_000,
		flood:    50_000,
		program:  python,
		version:  versionOf("netflower"),
		arguments: func(j Job) ([]string, error) {
			const script = "import sys; from netflower import convert_pcap_to_csv; " +
				"convert_pcap_to_csv(sys.argv[1], sys.argv[2], flow_timeout=600)"
			return []string{"-c", script, j.Capture, j.path("flows.csv")}, nil
		},
		counts: func(j Job) (Counts, error) { return csvCounts(j.path("flows.csv"), "tot_fwd_pkts", "tot_bwd_pkts") },
	},
	{
		Name:     "cicflowmeter",
		Get:      pipInstalls + ", apt-get install tcpdump",
		Computes: "Python on scapy: bidirectional flows of IPv4, cut whenever a second of its own time has passed; packets and bytes, minimum, mean, maximum and deviation of sizes and inter-arrival times by direction, counts of flags (PSH, URG by direction), and more of the CIC features",
		Columns:  23,
		most:     12_000,
		flood:    5_000,
		program:  python,
		version:  versionOf("cicflowmeter"),
		needs:    []string{"tcpdump"}, // scapy has it compile the filter
		arguments: func(j Job) ([]string, error) {
			// Its option for one file is broken in 0.5.0, a folder works.
			if err := os.Mkdir(j.path("in"), 0o777); err != nil {
				return nil, err
			}
			args := []string{"-m", "cicflowmeter.sniffer", "-d", j.path("in"), "-c", j.path("out")}
			return args, os.Symlink(j.Capture, j.path("in/capture.pcap"))
		},
		counts: func(j Job) (Counts, error) {
			return csvCounts(j.path("out/capture.csv"), "tot_fwd_pkts", "tot_bwd_pkts")
		},
	},
}

const pipInstalls = "make bench-peers-install"

func versionOf(module string) []string {
	return []string{"-c", fmt.Sprintf("import %s; from importlib.metadata import version; print(version(%[1]q))", module)}
}
