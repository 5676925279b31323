"""What a masked request looks like: kinds, extents, and that the clinical part stays."""

from __future__ import annotations

import pytest

from SEERSegmentLib.reasoning.identifiers import Identifier, find_identifiers, masked

MASKED = [
    # Names with titles; the title stays.
    ("Outline the left kidney of Mr Smith.", "Outline the left kidney of Mr [name]."),
    ("Mrs O'Brien-Jones's left kidney", "Mrs [name]'s left kidney"),
    ("Dr. van der Berg wants the spleen", "Dr. [name] wants the spleen"),
    ("Mr J R Tolkien, T6", "Mr [name], T6"),
    ("Mr Smith L kidney", "Mr [name] L kidney"),
    ("Mr Smith Left kidney", "Mr [name] Left kidney"),
    ("mr smith left kidney pls", "mr [name] left kidney pls"),
    ("MR SMITH LEFT KIDNEY", "MR [name] LEFT KIDNEY"),
    ("Drs Khan & Patel: liver", "Drs [name] & [name]: liver"),
    ("Prof. Dr. med. Annegret Müller: Leber", "Prof. Dr. med. [name]: Leber"),
    ("Sr. García López, bazo", "Sr. [name], bazo"),
    ("Mme de la Fontaine, foie", "Mme [name], foie"),
    ("田中さんの右腎", "[name]さんの右腎"),
    ("患者:王小明,右肾", "患者:[name],右肾"),
    ("пациент Сидоров И.И., печень", "пациент [name], печень"),
    ("Mr-Carter, liver", "Mr-[name], liver"),
    # The same words without a person.
    ("MR-guided biopsy, MR-Enterography, liver", None),
    ("severe MR, MR brain with contrast, MS plaques", None),
    ("don't miss the left kidney", None),
    ("the Dr. to correlate", None),
    ("80 ms TE, 8 Fr catheter", None),
    ("34-jährige Frau Oberbauchschmerzen, Gallenblase", None),
    ("M. Crohn, terminales Ileum", None),
    # Eponyms, and people of the same name.
    ("Graves' disease, Boerhaave, Marfan, Crohn's, Baker's cyst, Morison's pouch", None),
    ("Mr Graves has a goitre, thyroid please", "Mr [name] has a goitre, thyroid please"),
    ("Dr Crohn asks for the small bowel", "Dr [name] asks for the small bowel"),
    ("Sister Mary Joseph nodule, Lady Windermere syndrome, Austin Moore prosthesis", None),
    ("Sister Mulrooney asks for the bladder", "Sister [name] asks for the bladder"),
    ("Johnson's left kidney, Baker's cyst", "[name]'s left kidney, Baker's cyst"),
    # Names without a title.
    ("pt John Smith, spleen", "pt [name], spleen"),
    ("DOE, JANE - both adrenals", "[name] - both adrenals"),
    ("DOE^JANE^A liver", "[name] liver"),
    ("liver of van der Meer^Anna", "liver of [name]"),
    ("Outline liver for DOE^JANE", "Outline liver for [name]"),
    ("referred by Winterbourne, hernia", "referred by [name], hernia"),
    ("referred by urology, kidney", None),
    ("spleen. Kind regards, Hannah Lee", "spleen. Kind regards, [name]"),
    ("spleen. Kind regards", None),
    ("Mr Okonkwo, 54. Okonkwo's liver", "Mr [name], 54. [name]'s liver"),
    # Numbers with a label.
    ("MRN 1234567 right adrenal", "MRN [record number] right adrenal"),
    ("MRN#0012345, spleen", "MRN#[record number], spleen"),
    ("hospital no. 123 456 7890, bladder", "hospital no. [record number], bladder"),
    ("mrn one two three four five left kidney", "mrn [record number] left kidney"),
    ("accession no. ACC-2023-00912. Sternum.", "accession no. [accession number]. Sternum."),
    ("NHS 943 476 5919, TKV", "NHS [national ID], TKV"),
    ("Patient ID: TCGA-AB-1234, GTV", "Patient ID: [record number], GTV"),
    ("MRN 7712345 3.2 cm lesion, 54 yo", "MRN [record number] 3.2 cm lesion, 54 yo"),
    ("case 3, order 4 views, series 10002, ACC 45 mm", None),
    ("bleep 1234, x4432, ext 221", "bleep [phone], [phone], ext [phone]"),
    ("call Dr Carter at 4471", "call Dr [name] at [phone]"),
    ("extension of the thrombus 5 cm, page 3", None),
    ("bed 12, tumour bed 2 cm", "bed [location], tumour bed 2 cm"),
    # Dates.
    ("CT of 12/03/2021 and 2021-03-12", "CT of [date] and [date]"),
    ("CT 3/12/24 vs 9/10/23", "CT [date] vs [date]"),
    ("seen on 3/4 in clinic", "seen on [date] in clinic"),
    ("seen on 3/4 slices", None),
    ("ribs 8/9/10, T12, L4/5, segments 5/8, power 4/5", None),
    ("6/12 follow up, review in 2/52, 24/7 pain, for 3/7", None),
    ("nephrectomy 2019, chemo 2012-2015", None),
    ("born 1957, DOB 12/3/57", "born [birth date], DOB [birth date]"),
    ("geb. 12.03.1957, Niere", "geb. [birth date], Niere"),
    ("twelfth of march nineteen fifty seven", "[date]"),
    ("12 March\nMs Smith", "[date]\nMs [name]"),
    ("it may be rib 12 may be fractured, MAR CT, APR 2018", None),
    ("12/03/57-12/04/57, 12-14 March 2021", "[date]-[date], [date]"),
    ("D/O/B 12/03/57", "D/O/B [birth date]"),
    # Telephone numbers, and what looks like one.
    ("ext 4432 or 4433, spleen", "ext [phone] or [phone], spleen"),
    ("ring +44 7700 900123 or (555) 123-4567", "ring [phone] or [phone]"),
    ("HU 100-2000, b 400-1000, TR 1500-3000, matrix 512 512 400", None),
    ("platelets 150000, WBC 12000/µL, CA19-9 1200, PSA 12.3", None),
    # E-mail, links, UIDs.
    ("to j.smith@nhs.net or j dot smith at nhs dot net", "to [email] or [email]"),
    ("study 1.2.840.113619.2.55.3.604, spleen", "study [UID], spleen"),
    ("version 5.6.2, spleen", None),
    ("at 192.168.14.22, https://pacs/x?id=3", "at [link], [link]"),
    ("C:\\scans\\Smith_John\\ct.nii: liver", "[file] liver"),
    # Addresses.
    ("lives at 14 Elm Street, SW1A 1AA", "lives at [address]"),
    ("Hauptstraße 12, Leber", "[address], Leber"),
    ("T1N0M0 RUL, L4 5CM, T8 3RD", None),
    # Hidden in other writing.
    ("MRN 12\u200b34567", "MRN [record number]"),
    ("MRN １２３４５６７", "MRN [record number]"),
    ("Mr\u00a0Smith\u2019s kidney", "Mr\u00a0[name]\u2019s kidney"),
    ("Mr Mu\u0308ller, spleen", "Mr [name], spleen"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "wanted"), MASKED, ids=[request for request, _ in MASKED])
def test_masked(request_: str, wanted: str | None) -> None:
    assert masked(request_) == (request_ if wanted is None else wanted)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Mr Smith", "name"),
        ("MRN 12345", "record-number"),
        ("accession A123", "accession"),
        ("12/03/2021", "date"),
        ("dob 12/03/2021", "birth-date"),
        ("tel 12345", "phone"),
        ("a@b.org", "email"),
        ("1.2.840.113619.2", "uid"),
        ("http://x.org/1", "link"),
        ("/home/anna/ct.nii", "file"),
        ("14 Elm Street", "address"),
        ("room 204", "location"),
        ("SSN 123-45-6789", "national-id"),
        ("serial no. A4412", "serial-number"),
    ],
)
def test_each_kind_is_told(text: str, kind: str) -> None:
    assert [one.kind for one in find_identifiers(text)] == [kind]


def test_places_are_those_of_the_text_that_was_given() -> None:
    text = "\u200bMr\u200b Sm\u200bith, T12"
    assert find_identifiers(text) == (Identifier("name", 5, 11, "Sm\u200bith"),)
