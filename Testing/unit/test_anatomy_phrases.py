"""Phrases that the vocabulary doesn't know: what a model may have executed of them, and what never."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from SEERSegmentLib.anatomy import load_vocabulary, normalise, resolve_answer
from SEERSegmentLib.anatomy.noun_phrase import doubtful_name
from SEERSegmentLib.anatomy.tables import read_rows
from SEERSegmentLib.anatomy.wording import objection
from SEERSegmentLib.reasoning.reply import parse_reply
from SEERSegmentLib.values import Abstention, Reasoning, TargetSpec

NAMES = """
pterygoid plates; left ophthalmic artery; right posterior communicating artery; basilar artery tip; dentate nucleus;
red nucleus; substantia nigra; fornix; septum pellucidum; mammillary bodies; lentiform nucleus; left tibialis
anterior muscle; right vastus medialis; flexor digitorum profundus tendon; extensor carpi radialis longus; plantar
fascia; Lister's tubercle; coracoid process; AC joint; left AC joint; triangular fibrocartilage complex; hook of the
hamate; cuboid; navicular bone; sinus tarsi; thenar muscles; tarsal tunnel; splenic hilum; ligamentum teres;
falciform ligament; lesser sac; pouch of Douglas; round ligament of the uterus; corpus cavernosum; mesorectal
fascia; anal sphincter complex; obturator foramen; ostiomeatal complex; middle turbinate; arytenoid cartilage; left
pyriform sinus; vallecula; jugulodigastric node; left carotid bulb; thyroglossal duct cyst; branchial cleft cyst;
papillary muscle; crista terminalis; moderator band; aortopulmonary window; hilar lymph nodes; right paratracheal
node; secondary pulmonary lobule; Bochdalek hernia; spinal nerve root at C6; facet joint L4/5; neural foramen at
L5-S1; pars interarticularis; conus medullaris; filum terminale; epidural fat; abdominal wall hematoma; rectus
sheath hematoma; retroperitoneal hematoma; active contrast extravasation; free intraperitoneal air; free fluid in
the pelvis; hemoperitoneum; pelvic free fluid; splenic laceration; liver laceration; renal laceration; Bosniak IV
lesion in the left kidney; horseshoe kidney; ectopic kidney; accessory spleen; annular pancreas; Meckel's
diverticulum; Zenker diverticulum; hiatal hernia; inguinal hernia on the right; appendicolith; perforated appendix;
sigmoid diverticulitis; toxic megacolon; pneumatosis intestinalis; portal venous gas; cholangiocarcinoma; hilar
cholangiocarcinoma; focal nodular hyperplasia; hepatic hemangioma in segment IV; pyogenic liver abscess; hydatid
cyst; peripancreatic fluid; walled-off necrosis; pancreatic necrosis; dilated common bile duct; choledocholithiasis;
common bile duct stone; gallbladder polyp; adrenal myelolipoma; pheochromocytoma of the right adrenal gland;
retroperitoneal sarcoma; psoas abscess; aortic dissection flap; false lumen; true lumen of the dissected aorta; type
B aortic dissection; pulmonary embolus in the right main pulmonary artery; thymic mass; left ventricular thrombus;
myocardial scar; infarcted myocardium; left atrial appendage thrombus; apical pneumothorax; tension pneumothorax on
the left; pulmonary contusion; part-solid nodule; ground-glass nodule in the left lower lobe; tree-in-bud opacities;
honeycombing; bronchiectasis in the right middle lobe; emphysematous bulla; lung abscess; empyema; mediastinal
lymphadenopathy; thyroid nodule in the left lobe; goiter with retrosternal extension; parathyroid adenoma; parotid
mass; tonsillar carcinoma; laryngeal carcinoma; retropharyngeal abscess; orbital fracture; blowout fracture of the
right orbit; mandibular fracture; sinus mucosal thickening; pituitary macroadenoma; glioblastoma in the left frontal
lobe; low-grade glioma; meningioma of the falx; cavernous malformation; arteriovenous malformation; saccular
aneurysm of the anterior communicating artery; basal ganglia hemorrhage; chronic subdural hematoma; lacunar infarct;
hippocampal sclerosis; dilated lateral ventricles; colloid cyst; arachnoid cyst; syrinx; spinal cord compression at
T8; spinal epidural abscess; vertebral metastasis at L2; compression fracture of T12; T12 compression fracture;
burst fracture of L1; pathological fracture; spondylolisthesis L5; sacral insufficiency fracture; pelvic ring
fracture; femoral neck fracture; intertrochanteric fracture; tibial plateau fracture; bucket-handle tear of the
medial meniscus; rotator cuff tear; supraspinatus tear; joint effusion; Baker cyst; soft tissue mass in the left
thigh; lipoma; osteosarcoma of the distal femur; bone marrow edema; enchondroma; giant cell tumor; osteoid osteoma;
dermoid; endometrioma; prostate lesion in the peripheral zone; bladder wall thickening; hydrosalpinx; testicular
mass; urethral diverticulum; mesorectal lymph nodes; perianal fistula; ischiorectal abscess; left-sided
hydronephrosis; hydroureter; ureteral stone; obstructing calculus in the right ureter; staghorn calculus; transplant
kidney; renal transplant in the right iliac fossa; kidney graft; right kidney transplant; peritoneal nodules;
subcutaneous emphysema; left axillary lymph node; catheter tip; nasogastric tube; central venous line; IVC filter;
total hip arthroplasty; pedicle screws; pacemaker lead; coronary stent; surgical clips; drain in the gallbladder
fossa; pharyngeal constrictor muscles; carotid arteries; proximal femur; muscle; skeletal muscle at L3; jejunal
loops; gallbladder wall; stomach wall
"""

TEMPLATES = """
{} only | just the {} | just {} | only {} | {} please | {}, please | the {} I think | {}, I guess | {} or nearby |
{}, maybe spleen | mostly {} | mainly the {} | the {} perhaps | {} perhaps | {} - likely | {} likely | ({}?) | {}??
| {} !? | {} ... maybe | {} hopefully | {} if present | {} when visible | {} where visible | {} (if seen) | {} (best
guess) | {} [uncertain] | {} **?** | presumed {} | suspected {} | potential {} | possible {} | probable {} |
candidate {} | {} candidate | a {}-like structure | something near {} | area around {} I suppose | not {} | {}
excluded | exclude {} | all except {} | anything but {} | no {} | no {} visible | {} not visible | {} absent | {} is
absent | missing {} | {} cannot be seen | unable to find {} | {} n/a | {} unknown | unknown {} | unspecified {} |
some {} | any {} | certain {} | segment {} | seg {} | outline {} | outlining {} | contour {} | contours of {} | mask
of {} | {} mask | {} segmentation | segmentation: {} | {} contour | {} volume | volume of {} | {} size | measure {}
| draw {} | mark {} | trace the {} | trace {} carefully | find {} | locate {} | show {} | get {} | give me {} | I
want {} | I need the {} | we need {} | need {} | can you do {} | could you outline {} | do {} | run on {} | label {}
| label: {} | target: {} | target {} | the target {} | target organ {} | organ: {} | organ {} | structure {} | the
structure called {} | {} structure | {} (structure) | {} organ | this {} | that {} | the same {} | same {} | the
other {} | other {} | opposite {} | contralateral {} | ipsilateral {} | affected {} | the aforementioned {} |
requested {} | the requested {} | {} as requested | {} as above | {} (see above) | {} as seen | {} as shown in image
3 | {} in image 3 | {} on CT | {} in this scan | {} on slice 40 | {} (slices 4-9) | {} at z=40 | {} because it was
requested | {} since it is named | {}, which is enlarged | {} that is enlarged | {} is enlarged | {} was requested |
{} are meant | the {} should be segmented | it is the {} | it's the {} | this is the {} | here is the {} | I chose
{} | I would segment {} | answer {} | answer: {} | final answer {} | Final answer: {} | My answer is {} | the answer
would be {} | result: {} | output {} | {} or spleen | spleen or {} | {} / spleen | {}/spleen | {} vs spleen | {} vs.
spleen | {} versus spleen | {} alternatively spleen | either {} or spleen | {} otherwise spleen | {} else spleen |
{} and/or spleen | {} if not spleen | {} rather than spleen | {} instead of spleen | {} but not spleen | {} without
spleen | {} minus spleen | {} except tumor | {} excluding lesions | {} including lesions | {} and everything else |
{} and so on | {} etc | {}, etc. | {} e.g. left part | i.e. {} | {} i.e. the organ | {}: the organ | {}; see
rationale | {} (see rationale) | {} (high confidence) | {} 90% | 90% {} | {} (0.9) | {} 0.9 | {} = 5 | 5 {} | {} 5 |
{} id 5 | #5 {} | [{}] | {}. Thanks | {}. Next. | {}! Done. | ok {} | yes, {} | yes {} | sure, {} | Sure: {}
| no, {} | hmm {} | well, {} | {} thanks | {} pls | pls {} | pls do {} | hi {} | {} ASAP | urgent {} | {} for
volumetry | {} for planning | {} for RT | {} f/u | ?{} | {}? | r/o {} | rule out {} injury | eval {} | evaluate {} |
assess {} | check {} | query {} | {} query | hx of {} | 58M {} | 58 yo {} | pt with {} | patient's {} | patient {} |
her {} | his {} | their {} | my {} | your {} | its {} | our {} | whose {} | what {} | which {} | where is the {} |
how big is the {} | why {} | who has {} | when {} | is it the {} | is {} | are {} | was {} | be {} | been {} | has
{} | will be {} | must be {} | can be {} | may be {} | might be {} | should be {} | would be {} | could be {} |
seems {} | looks like {} | appears as {} | resembling {} | similar to {} | such as {} | like the {} | namely {} |
called {} | named {} | known as {} | aka {} | corresponding to {} | corresponds to {} | consistent with {} |
compatible with {} | represents {} | suggesting {} | suggestive of {} | concerning for {} | suspicious for {} |
favor {} | ddx {} | differential: {} | ignore {} | skip {} | forget {} | delete {} | remove {} | use {} | using {} |
choose {} | pick {} | select {} | identify {} | detect {} | extract {} | isolate {} | highlight {} | annotate {} |
delineate {} | visualize {} | display {} | render {} | export {} | load {} | open {} | save {} | print {} | return
{} | output: {} | execute {} | perform {} segmentation | start {} | stop {} | try {} | let's do {} | go with {} |
focus on {} | look at {} | see {} | the word {} | name of {} | {} name | the text {} | string {} | undefined {} |
null {} | true {} | {} true | {} none | none {} | none, {} | {}, none | {}, n/a | {}, unknown | {}, other | {},
target | {}, structure | {}, organ | unknown, {} | TBD {} | TODO {} | XXX {} | foo {} | lorem {} | test {} | example
{} | sample {} | dummy {} | placeholder {} | insert {} | {} here | here {} | segmentiere {} | bitte {} | {} bitte |
vielleicht {} | nicht {} | ohne {} | {} ohne Tumor | {} oder Milz | segmenter {} | délimiter {} | peut-être {} | {}
ou rate | pas {} | sans {} | segmentar {} | por favor {} | quizás {} | {} o bazo | sin {} | segmentare {} | forse {}
| {} oppure milza | senza {} | talvez {} | {} ou baço | sem {} |
分割{} | 请{} | 可能是{} | {}或脾脏 | 不要{} | {}を抽出 | {}か脾臓 |
{}ではない
"""

DENIED = ("doubt", "refusal", "negation", "command", "meta", "pointer", "prose")
ALLOWED = ("noun", "modifier", "part", "link", "joint", "article", "generic")


def listed(text: str, mark: str) -> list[str]:
    return [item.strip() for item in " ".join(text.split()).split(mark)]


def answered(answer: str) -> Reasoning | Abstention:
    return parse_reply(f"<evidence>Seen.</evidence><rationale>Read.</rationale><answer>{answer}</answer>")


@pytest.mark.parametrize("name", listed(NAMES, ";"))
def test_free_text_that_names_something_in_a_body_passes(name: str) -> None:
    assert isinstance(resolve_answer(name), TargetSpec)
    assert doubtful_name(name) is None
    assert objection(name) is None


@pytest.mark.parametrize("template", listed(TEMPLATES, " | "))
def test_no_word_of_doubt_command_or_comment_passes_beside_a_name(template: str) -> None:
    for name in ("liver", "left kidney", "L3 vertebra", "kidney tumor", "hypodense lesion in segment VII of the liver"):
        assert isinstance(answered(template.format(name)), Abstention), template.format(name)


@given(st.sampled_from(sorted(structure.name for structure in load_vocabulary().structures.values())), st.data())
def test_that_holds_beside_every_name_of_the_vocabulary(name: str, data: st.DataObject) -> None:
    template = data.draw(st.sampled_from(listed(TEMPLATES, " | ")))
    assume(template not in ("5 {}", "{} 5"))  # five veins, and lesion 5, are names
    assert isinstance(answered(template.format(name)), Abstention)


def test_every_name_of_the_vocabulary_is_an_answer() -> None:
    for structure in load_vocabulary().structures.values():
        assert isinstance(answered(structure.name), Reasoning), structure.name


@pytest.mark.parametrize(
    ("phrase", "code"),
    [
        ("inferior vena cava (IVC)", "inferior_vena_cava"),
        ("necrotic core (NCR)", "glioma_necrotic_core"),
        ("die Leber", "liver"),
        ("la vésicule biliaire", "gallbladder"),
        ("left kidney (RK)", ""),
        ("nodule (right upper lobe)", ""),
    ],
)
def test_a_name_said_twice_or_with_a_foreign_article_is_the_structure(phrase: str, code: str) -> None:
    spec = resolve_answer(phrase)
    assert isinstance(spec, TargetSpec)
    assert [target.structure for target in spec.targets] == [code]
    assert code or spec.targets[0].text == phrase


@pytest.mark.parametrize(
    ("phrase", "code"),
    [
        ("liver?", "hedged"),
        ("probably the liver", "hedged"),
        ("target", None),
        ("segment VII of the liver", None),
        ("segment the liver", "not-a-phrase"),
        ("liver segment IX", "no-such-structure"),
        ("rib 15 on the left", "no-such-structure"),
        ("nodule of uncertain significance", None),
        ("non-enhancing component of the mass", None),
        ("hígado o bazo", "alternatives"),
        ("foie sans la tumeur", "negation"),
        ("分割肝脏", "not-a-phrase"),
        ("frobnitz", None),
    ],
)
def test_a_persons_own_words_are_held_to_less(phrase: str, code: str | None) -> None:
    read = resolve_answer(phrase)
    assert (read.code if isinstance(read, Abstention) else None) == code


@pytest.mark.parametrize(
    "phrase", ["frobnitz", "target", "T13 vertebral body", "L1-L5", "liver spleen", "Leber und Milz", "5 liver"]
)
def test_and_a_models_to_more(phrase: str) -> None:
    assert isinstance(resolve_answer(phrase), TargetSpec)
    assert doubtful_name(phrase) is not None


def test_no_word_is_both_denied_and_allowed() -> None:
    kinds: dict[str, set[str]] = {}
    for row in read_rows("phrase_words.csv"):
        assert row["kind"] in {*DENIED, *ALLOWED, "weak"}
        for term in row["terms"].split("|"):
            assert normalise(term), row
            if row["language"] not in ("zh", "ja"):
                kinds.setdefault(row["kind"], set()).add(normalise(term))
    denied = set().union(*(kinds[kind] for kind in DENIED))
    assert not denied & set().union(*(kinds[kind] for kind in ALLOWED))


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    for abstention in (objection(text), doubtful_name(text)):
        assert abstention is None or abstention.reason.endswith(".")
