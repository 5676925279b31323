"""CT numbers of tissues, and the thresholds between them: the only place where the classical backbone keeps any.

They follow from the definition of the scale, HU = 1000 (µ − µ_water)/(µ_water − µ_air), so that air is −1000 and
water 0, and from published tissue ranges; docs/backbones.md says which were compared on images. A border between two
tissues lies where a voxel holds half of each: at the mean of their CT numbers.
"""

from __future__ import annotations

#: By definition of the scale, on which water is 0.
AIR = -1000

#: What scanners and resamplers write where they measured nothing: −2000 (GE), −2048, −3024 (Siemens, Philips). Noise
#: and streaks around air stay above −1500.
PADDING_BELOW = -1500
PADDING = -2048

#: Values are clipped to the 12 bits that CT scanners store; beyond lie only padding and metal.
RANGE = (-1024, 3071)

#: Aerated lung: from about −895 HU at full inspiration to −730 at expiration ("Measurement of pulmonary parenchymal
#: attenuation: use of spirometric gating with quantitative CT", one volunteer). Below −950 HU is the usual sign of
#: emphysema at CT.
LUNG = -850
EMPHYSEMA_BELOW = -950

#: Half gas, half lung: a block darker than this is more likely the lumen of airway or bowel than parenchyma.
FREE_GAS_BELOW = (AIR + LUNG) // 2  # -925

#: Muscle, unenhanced parenchyma and blood lie at 30 to 60 HU.
SOFT_TISSUE = 40

#: Half lung, half soft tissue. (Hu et al., IEEE TMI 2001, arrive at −400 ± 20 by iteration.)
LUNG_SURFACE = (LUNG + SOFT_TISSUE) // 2  # -405

#: Half gas, half soft tissue: the inner wall of the trachea.
AIRWAY_SURFACE = (AIR + SOFT_TISSUE) // 2  # -480

#: Adipose tissue: −190 to −30 HU (Sjöström et al., Am J Physiol 1986; Yoshizumi et al., Radiology 1999).
FAT = (-190, -30)

#: Half air, half fat: the skin over subcutaneous fat. Clothes, blankets and mattress foam are mostly thinner than that.
SKIN = (AIR - 100) // 2  # -550

#: Trabecular bone of adults: about 100 to 300 HU, falling with age; 135 HU at L1 is a usual limit of osteoporosis
#: (Pickhardt et al., Ann Intern Med 2013, and its followers). Cortical bone: 300 to 1900.
TRABECULAR = 135
CORTICAL = 300

#: Opacified blood reaches 600 HU at 80 kV in the first pass; compact bone starts above that. (Undiluted contrast medium
#: in the vein of injection is denser still, and can't be told from bone by its density.)
COMPACT = 650

#: Half trabecular bone of middle age (160 HU at L1), half soft tissue: the surface of bone whose cortex is too thin to
#: be seen.
MARROW = (160 + SOFT_TISSUE) // 2  # 100

#: Denser than any bone (the femoral shaft reaches 1900): metal of implants, electrodes and lines.
METAL_ABOVE = 2000

#: Half cortical bone of a thin shell (about 300 once blurred by a millimetre voxel), half soft tissue.
BONE_SURFACE = (CORTICAL + SOFT_TISSUE) // 2  # 170
