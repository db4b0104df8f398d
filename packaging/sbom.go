package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"regexp"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// writeSBOM writes what the binary is made of (SPDX 2.3, as JSON).
func (b *build) writeSBOM(modules []module) error {
	binary, err := os.ReadFile(b.path("flowfast"))
	if err != nil {
		return err
	}
	digest := fmt.Sprintf("%x", sha256.Sum256(binary))
	own := entry("github.com/flowfast/flowfast", b.version, "Apache-2.0")
	own.PackageName = "flowfast"
	own.PackageFileName = "./usr/bin/flowfast"
	own.PrimaryPackagePurpose = "APPLICATION"
	own.PackageChecksums = []common.Checksum{{Algorithm: common.SHA256, Value: digest}}
	doc := spdx.Document{
		SPDXVersion:    spdx.Version,
		DataLicense:    spdx.DataLicense,
		SPDXIdentifier: "DOCUMENT",
		DocumentName:   fmt.Sprintf("flowfast-%s-linux-%s", b.version, b.arch),
		// Others are not to have the same: the digest sees to that.
		DocumentNamespace: fmt.Sprintf("https://flowfast.invalid/spdx/flowfast-%s-linux-%s-%s", b.version, b.arch, digest),
		CreationInfo: &spdx.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "flowfast-packaging-" + b.version}},
			Created:  b.time.Format(time.RFC3339),
		},
		Packages:      []*spdx.Package{own},
		Relationships: []*spdx.Relationship{related("DOCUMENT", "DESCRIBES", own)},
	}
	for _, m := range modules {
		p := entry(m.path, m.version, m.licence())
		doc.Packages = append(doc.Packages, p)
		doc.Relationships = append(doc.Relationships, related(own.PackageSPDXIdentifier, "STATIC_LINK", p))
	}
	to, err := os.Create(b.path("flowfast.spdx.json"))
	if err != nil {
		return err
	}
	err = spdxjson.Write(&doc, to, spdxjson.Indent("  "), spdxjson.EscapeHTML(false))
	if closed := to.Close(); err == nil {
		err = closed
	}
	return err
}

var notInIdentifiers = regexp.MustCompile(`[^A-Za-z0-9.-]`)

// entry returns what is said of a module of Go.
func entry(path, version, licence string) *spdx.Package {
	return &spdx.Package{
		PackageName:             path,
		PackageSPDXIdentifier:   common.ElementID("Package-" + notInIdentifiers.ReplaceAllString(path, "-")),
		PackageVersion:          version,
		PackageDownloadLocation: "NOASSERTION",
		PackageLicenseConcluded: licence,
		PackageLicenseDeclared:  licence,
		PackageCopyrightText:    "NOASSERTION",
		PackageExternalReferences: []*spdx.PackageExternalReference{{
			Category: common.CategoryPackageManager,
			RefType:  common.TypePackageManagerPURL,
			Locator:  "pkg:golang/" + path + "@" + version,
		}},
	}
}

func related(from common.ElementID, how string, to *spdx.Package) *spdx.Relationship {
	return &spdx.Relationship{
		RefA:         common.MakeDocElementID("", string(from)),
		RefB:         common.MakeDocElementID("", string(to.PackageSPDXIdentifier)),
		Relationship: how,
	}
}
