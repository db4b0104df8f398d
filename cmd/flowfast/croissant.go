package main

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// What a dataset says of itself to programs is metadata in the format Croissant 1.0,
// which is JSON-LD over the vocabulary of schema.org:
// https://docs.mlcommons.org/croissant/docs/croissant-spec.html
// What that has no words for is beside it, under the key flowfast.

// croissantContext says what the keys mean: the context of the specification, and
// that what is under the key flowfast is JSON.
const croissantContext = `{
  "@language": "en",
  "@vocab": "https://schema.org/",
  "citeAs": "cr:citeAs",
  "column": "cr:column",
  "conformsTo": "dct:conformsTo",
  "cr": "http://mlcommons.org/croissant/",
  "rai": "http://mlcommons.org/croissant/RAI/",
  "data": {"@id": "cr:data", "@type": "@json"},
  "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
  "dct": "http://purl.org/dc/terms/",
  "equivalentProperty": "cr:equivalentProperty",
  "examples": {"@id": "cr:examples", "@type": "@json"},
  "extract": "cr:extract",
  "field": "cr:field",
  "fileProperty": "cr:fileProperty",
  "fileObject": "cr:fileObject",
  "fileSet": "cr:fileSet",
  "flowfast": {"@id": "https://github.com/flowfast/flowfast#dataset", "@type": "@json"},
  "format": "cr:format",
  "includes": "cr:includes",
  "isLiveDataset": "cr:isLiveDataset",
  "jsonPath": "cr:jsonPath",
  "key": "cr:key",
  "md5": "cr:md5",
  "parentField": "cr:parentField",
  "path": "cr:path",
  "recordSet": "cr:recordSet",
  "references": "cr:references",
  "regex": "cr:regex",
  "repeated": "cr:repeated",
  "replace": "cr:replace",
  "samplingRate": "cr:samplingRate",
  "sc": "https://schema.org/",
  "separator": "cr:separator",
  "source": "cr:source",
  "subField": "cr:subField",
  "transform": "cr:transform"
}`

type croissant struct {
	Context      json.RawMessage   `json:"@context"`
	Type         string            `json:"@type"`
	ConformsTo   string            `json:"conformsTo"`
	Name         string            `json:"name"`
	Description  string            `json:"description"`
	Coverage     string            `json:"temporalCoverage,omitempty"`
	Distribution []any             `json:"distribution"`
	RecordSets   []croissantSet    `json:"recordSet"`
	Flowfast     croissantFlowfast `json:"flowfast"`
}

// A croissantFile is a part.
type croissantFile struct {
	Type           string `json:"@type"`
	ID             string `json:"@id"`
	Name           string `json:"name"`
	ContentURL     string `json:"contentUrl"`
	ContentSize    int64  `json:"contentSize,string"` // bytes
	EncodingFormat string `json:"encodingFormat"`
	SHA256         string `json:"sha256"`
}

// A croissantFileSet is all parts.
type croissantFileSet struct {
	Type           string `json:"@type"`
	ID             string `json:"@id"`
	Name           string `json:"name"`
	EncodingFormat string `json:"encodingFormat"`
	Includes       string `json:"includes"`
}

type croissantSet struct {
	Type        string           `json:"@type"`
	ID          string           `json:"@id"`
	Name        string           `json:"name"`
	Description string           `json:"description"`
	Fields      []croissantField `json:"field"`
	Data        []map[string]any `json:"data,omitempty"`
}

type croissantField struct {
	Type        string           `json:"@type"`
	ID          string           `json:"@id"`
	Name        string           `json:"name"`
	Description string           `json:"description"`
	DataType    string           `json:"dataType"`
	Repeated    bool             `json:"repeated,omitempty"`
	Source      *croissantSource `json:"source,omitempty"`
}

type croissantSource struct {
	FileSet    *croissantID     `json:"fileSet,omitempty"`
	FileObject *croissantID     `json:"fileObject,omitempty"`
	Extract    croissantExtract `json:"extract"`
}

type croissantExtract struct {
	Column   string `json:"column,omitempty"`
	JSONPath string `json:"jsonPath,omitempty"`
}

type croissantID struct {
	ID string `json:"@id"`
}

// A croissantFlowfast is what Croissant has no words for.
type croissantFlowfast struct {
	Version string            `json:"version"`
	Command string            `json:"command"`
	Options map[string]string `json:"options"`
	Rows    uint64            `json:"rows"`
	Packets uint64            `json:"packets"`
	Classes flowfast.Classes  `json:"classes"`
	Columns []describedColumn `json:"columns"`
}

const (
	partsID           = "parts"
	parquetMediaType  = "application/x-parquet" // as in the specification; mlcroissant does not know the registered name
	croissantStandard = "http://mlcommons.org/croissant/1.0"
)

// croissant returns the description for programs.
func (d *description) croissant() ([]byte, error) {
	file := croissant{
		Context: json.RawMessage(croissantContext), Type: "sc:Dataset", ConformsTo: croissantStandard,
		Name: printable(d.name), Description: d.sentence(),
	}
	if d.summary.Packets > 0 {
		first, last := d.times()
		file.Coverage = first + "/" + last
	}
	file.Distribution = append(file.Distribution, croissantFileSet{
		"cr:FileSet", partsID, partsID, parquetMediaType, d.glob(),
	})
	for _, p := range d.parts {
		file.Distribution = append(file.Distribution, p.croissant(parquetMediaType))
	}
	file.Distribution = append(file.Distribution, d.manifest.croissant("application/json"))
	file.RecordSets = []croissantSet{d.flowSet(), d.captureSet()}
	if len(d.labels.Labels) > 0 {
		file.RecordSets = append(file.RecordSets, d.labelSet())
	}
	if len(d.labels.Splits) > 0 {
		file.RecordSets = append(file.RecordSets, d.splitSet())
	}
	f := &file.Flowfast
	f.Version, f.Command, f.Options = flowfast.Version, d.command, map[string]string{}
	for _, r := range d.rules {
		f.Options[r.Name] = r.Value
	}
	f.Rows, f.Packets, f.Classes, f.Columns = d.summary.Flows, d.summary.Packets, d.summary.Classes, describeColumns(d.columns)
	var b bytes.Buffer
	err := writeJSON(&b, file)
	return b.Bytes(), err
}

func (p *partFile) croissant(mediaType string) croissantFile {
	name := string(p.Path)
	return croissantFile{"cr:FileObject", name, name, name, p.Size, mediaType, p.SHA256}
}

// flowSet is the table.
func (d *description) flowSet() croissantSet {
	const id = "flows"
	set := croissantSet{Type: "cr:RecordSet", ID: id, Name: id, Description: "a row for each flow"}
	for _, c := range d.columns {
		f := croissantField{Type: "cr:Field", ID: id + "/" + c.Name, Name: c.Name, Description: c.Definition, DataType: croissantType(c)}
		if c.Unit != "" {
			f.Description += " (in " + c.Unit + ")"
		}
		f.Repeated = c.Kind == export.List
		f.Source = &croissantSource{FileSet: &croissantID{partsID}, Extract: croissantExtract{Column: c.Name}}
		set.Fields = append(set.Fields, f)
	}
	return set
}

// A plainField is a field that is no column.
type plainField struct{ name, definition, kind string }

func setOf(id, what string, fields []plainField) croissantSet {
	set := croissantSet{Type: "cr:RecordSet", ID: id, Name: id, Description: what}
	for _, f := range fields {
		set.Fields = append(set.Fields, croissantField{Type: "cr:Field", ID: id + "/" + f.name, Name: f.name, Description: f.definition, DataType: f.kind})
	}
	return set
}

// captureSet is the captures, which the manifest lists. Fields that not all of them
// have are left out: what a path finds is put together by its position.
func (d *description) captureSet() croissantSet {
	fields := []plainField{
		{"path", "path below the folder that was read", "sc:Text"}, {"size", "bytes, as it is stored", "sc:Integer"},
		{"packets", "packets that were read", "sc:Integer"},
	}
	if d.joined || slices.ContainsFunc(d.captures, func(e entry) bool { return e.Status != done }) {
		fields = append(fields, plainField{"status", "done; damaged: read up to the damage; failed: not read", "sc:Text"})
	}
	if !d.joined {
		fields = slices.Insert(fields, 3, plainField{"flows", "rows", "sc:Integer"})
	}
	if !d.joined && !slices.ContainsFunc(d.captures, func(e entry) bool { return e.SHA256 == "" }) {
		fields = append(fields, plainField{"sha256", "SHA-256 of the file", "sc:Text"})
	}
	set := setOf("captures", "the captures that were read", fields)
	for i, f := range fields {
		set.Fields[i].Source = &croissantSource{FileObject: &croissantID{manifestName}, Extract: croissantExtract{JSONPath: "$.captures[*]." + f.name}}
	}
	return set
}

// labelSet is how many flows have each label, with its values in it.
func (d *description) labelSet() croissantSet {
	const id = "labels"
	set := setOf(id, "flows and their packets with each label", []plainField{
		{"label", "the label", "sc:Text"}, {"flows", "flows that have it", "sc:Integer"}, {"packets", "packets of these", "sc:Integer"},
	})
	for _, l := range d.labels.Labels {
		set.Data = append(set.Data, map[string]any{id + "/label": l.Label, id + "/flows": l.Flows, id + "/packets": l.Packets})
	}
	return set
}

// splitSet is how many flows are in each split, with its values in it.
func (d *description) splitSet() croissantSet {
	const id = "splits"
	set := setOf(id, "flows and their packets in each split", []plainField{
		{"split", "the split, empty for none", "sc:Text"}, {"flows", "flows that are in it", "sc:Integer"}, {"packets", "packets of these", "sc:Integer"},
	})
	for _, s := range d.labels.Splits {
		set.Data = append(set.Data, map[string]any{id + "/split": s.Split, id + "/flows": s.Flows, id + "/packets": s.Packets})
	}
	return set
}

// croissantType returns the type of a column's values.
func croissantType(c *export.Column) string {
	switch c.Kind {
	case export.Time:
		return "sc:DateTime"
	case export.Text:
		return "sc:Text"
	case export.Uint, export.Int, export.List:
		return "sc:Integer"
	}
	return "sc:Float"
}
