"""Kinds of words: what a word stands for, so that what was learned of "surgery" and "rang" is known of "optician" and "texted" too.

A word that is in no kind and is none of the small words says little of what a contact asks for, and is passed over.
"""

from typing import Final

_KINDS: Final = {
    # -- who
    "US": "ombudsman @ombudsmancare ombudsmancare phso ombudsmans customer",
    "OURS": (
        "investigator investigators caseworker caseworkers adviser advisers advisor advisors handler handlers operator assessor officer officers "
        "team teams staff department lady gentleman chap lad lass bloke fella woman man girl colleague colleagues manager supervisor switchboard "
        "helpline callcentre receptionist"
    ),
    "TITLE": "mr mrs ms miss dr sister nurse professor",
    "KIN": (
        "mum mums mam mams mom mother mothers mummy dad dads father fathers daddy son sons daughter daughters husband husbands hubby wife wifes wives "
        "partner partners brother brothers sister sisters aunt auntie uncle nan nans nana gran grans granny grandma grandmother grandfather grandad "
        "grandson granddaughter child children childs kid kids baby babys babies toddler twins cousin nephew niece fiance boyfriend girlfriend "
        "friend neighbour boy lad girl missus tad fam mam bab"
    ),
    "CLIENT": "client clients constituent constituents patient patients resident tenant claimant member complainant",
    "PRO": (
        "solicitor solicitors lawyer lawyers barrister paralegal advocate advocates imca llp councillor caseworker mp mps mps' citizens advice "
        "volunteer outreach representative executor executrix attorney deputy authority behalf lpa probate instructed instructs act acting firm llp"
    ),
    "THEM": "they them their theirs themselves he she him her his hers",
    # -- other bodies
    "HEALTH": (
        "hospital hospitals infirmary surgery surgeries clinic clinics ward wards practice pharmacy pharmacist pharmacists chemist chemists dentist dentists dental "
        "optician opticians optometrist orthodontist ambulance ambulances trust trusts nhs gp gps doctor doctors quack hospice icu itu hdu neonatal maternity "
        "theatre camhs icb physio physiotherapy physiotherapist paramedic paramedics midwife midwives nurses matron consultant consultants surgeon surgeons "
        "registrar psychiatrist psychologist therapist radiographer radiology anaesthetist oncologist oncology cardiology orthopaedics orthopaedic gynae "
        "gynaecology dermatology urology audiology ophthalmology podiatry chiropodist dietitian sonographer phlebotomy triage casualty healthcare porter porters "
        "medic medics locum pathology outpatients inpatient aande nhs111 111 999 treatment centre nursing home carers district visitor"
    ),
    "STATE": (
        "dwp hmrc dvla dvsa ukvi cms csa jobcentre jobcentreplus cica cafcass defra ofsted cqc dbs hmcts tribunal tribunals court courts prison hmp probation "
        "ministry minister government embassy customs valuation voa registry insolvency charity environment inspectorate rural forestry coastguard "
        "veterans mod parole passport immigration border visas slc student loans companies house electoral dfe dft maritime agency"
    ),
    "BEYOND": (
        "council councils councillors landlord landlords landlady housing bank banks barclays lloyds natwest energy electric electricity gas water broadband "
        "telecom bt sky vodafone virgin octopus eon edf british school schools university college nursery gym airline ryanair easyjet supermarket tesco shop garage "
        "builder builders plumber letting estate insurer insurance broker bailiff bailiffs police constable social worker workers services employer boss neighbours "
        "hoa parking travel agent private vet royal mail courier scotland scottish wales welsh ireland northern"
    ),
    "BENEFIT": (
        "pip esa jsa uc dla universal credit credits pension pensions benefit benefits allowance maintenance attendance carers winter fuel bereavement "
        "tax vat paye ni contributions visa passport licence license permit citizenship naturalisation leave refund rebate award payment payments arrears overpayment "
        "debt debts sanction sanctions claim claims application applications assessment reassessment appointee"
    ),
    # -- what went wrong elsewhere
    "ILL": (
        "cancer tumour lump asthma stroke sepsis fracture fractured broken infection infected diabetes diabetic dementia alzheimers pneumonia bleed bleeding "
        "haemorrhage clot embolism heart attack cardiac seizure seizures epilepsy epileptic pain painful agony ulcer ulcers sore sores bedsore bruise bruises burst "
        "appendix hernia cataract cataracts glaucoma blind deaf hearing kidney kidneys liver lung lungs hip hips knee knees leg legs foot feet arm arms wrist back spine "
        "shoulder elbow ankle toe toes finger eye eyes ear ears tooth teeth crown denture dentures abscess stomach bowel bladder womb breast prostate skin brain skull "
        "autism autistic adhd depression anxiety psychosis mental eating disorder miscarriage stillborn stillbirth pregnant pregnancy birth labour caesarean "
        "amputated amputation paralysed disabled disability wheelchair catheter colostomy stoma fall fell falls choking dehydrated malnourished mrsa covid"
    ),
    "CARE": (
        "operation operations op ops scan scans mri ct xray xrays ray rays ultrasound biopsy endoscopy appointment appointments appt appts referral referrals "
        "prescription prescriptions medication meds medicine medicines tablets pills insulin inhaler antibiotics morphine warfarin chemo chemotherapy "
        "radiotherapy dialysis dose dosage injection injections vaccine jab discharge discharged admitted admission transplant implant hearing aids glasses "
        "splint plaster stitches swab swabs bloods blood diagnosis diagnosed misdiagnosed consent resuscitation dnr dnacpr dnar trolley corridor drip "
        "bed beds waitinglist list therapy counselling rehab physio continuing chc funding"
    ),
    "DEATH": "died dead death deaths dying passed funeral coroner coroners inquest bereaved widow widower late lost buried cremated grave",
    "WRONGED": (
        "refused refuse refuses refusing cancelled cancel lost lose loses losing missed miss ignored ignore misdiagnosed delayed stopped stop sanctioned overcharged botched denied deny "
        "rejected reject revoked withheld deducted docked suspended banned removed struck evicted overpaid underpaid neglected neglect abandoned dropped "
        "mislaid misfiled mishandled muddled blamed accused bullied abused injured damaged failed fail failing failings negligent negligence mistake mistakes error errors "
        "turned away sent wrong wrongly left threatened fined clamped seized chasing"
    ),
    "STAGE": (
        "stage deadlock tier reconsideration mandatory adjudicator examiner pals response responses resolution internal formal final exhausted "
        "completed procedure procedures conceded admitted apologised apology apologise sorry satisfied conclude"
    ),
    # -- what we did
    "DECISION": (
        "decision decisions decided decide findings finding found conclusion conclusions concluded ruling ruled verdict outcome determination judgement judgment "
        "uphold upheld upholding"
    ),
    "REPORT": "report reports reported letter letters email emails reply document statement version",
    "DRAFT": "draft drafts drafted provisional proposed interim preliminary views tape",
    "DISAGREE": (
        "disagree disagrees dispute disputes disputed challenge challenging appeal appealing object accept accepted agree agreed wrong unfair unjust flawed biased bias "
        "whitewash mistaken incorrect inaccurate untrue false nonsense perverse absurd onesided misread misunderstood misquoted misstated overlooked omitted ignored "
        "contradicts contradict unreasonable irrational sided travesty insult"
    ),
    "REVIEW": "review reviewed reviewing reviewer reconsider reconsidered reconsideration reopen reopened reopening overturn overturned revisit afresh rethink ailystyried",
    "PAGE": "page pages para paras paragraph paragraphs section sections line annex appendix item items point points bullet footnote sentence table",
    "CORRECT": (
        "correct corrected correction corrections amend amended amending amendment amendments alter altered edit typo misspelt spelt spelling spelled replace reword rephrase "
        "should says said put"
    ),
    "COMMENT": "comment comments commenting remarks observations feedback representations",
    "CASE": "case cases file files ref reference investigation investigations investigate investigated investigating investigates",
    "COMPLAINT": "complain complains complained complaining complaint complaints cmplnt grievance cwyn cwyno",
    "WAIT": "waiting waited wait waits delay delays slow slowness ages forever overdue backlog queue silence limbo stalled drifting outstanding pending aros",
    "STILL": "still yet nothing nowt nada zilch nil again repeatedly chase chased chases ignored unanswered fobbed",
    "NOBODY": "nobody noone none neb",
    "NEG": "not no never without cannot nor neither hardly barely ddim dim byth",
    "CONTACT": (
        "ring rings rang rung ringing phone phones phoned phoning call calls called calling callback telephone telephoned write writes wrote written writing text texts "
        "texted texting mail mailed mailing messaged message messages voicemail contact contacted contacting reply replied replies replying answer answered answers answering "
        "respond responded responds responding acknowledge acknowledged acknowledgement hear heard hearing speak spoke spoken talk talked tell told tells update updates updated "
        "inform informed news word"
    ),
    "PROMISE": "promise promised promises promising assured assurance guaranteed undertook undertaking pledge addo",
    "RUDE": (
        "rude rudeness abrupt dismissive patronising patronised condescending sarcastic cold unhelpful unprofessional disrespectful offhand curt snapped laughed sighed shouted "
        "snotty uncaring heartless insensitive sneered interrupted bored arrogant ignorant hung snooty stroppy impatient smirked giggled tutted scolded belittled"
    ),
    "BAD": (
        "useless incompetent incompetence shambles shambolic joke disgrace disgraceful disgusted disgusting appalling appalled pathetic hopeless terrible awful poor disappointed "
        "disappointing unacceptable rubbish diabolical waste dreadful atrocious toothless fed sick angry furious livid unhappy dissatisfied upset frustrated frustrating "
        "frustration shocking shocked ashamed insulted let pointless farce clowns muppets crap nightmare"
    ),
    "GOOD": (
        "kind kindness helpful patient patience courteous professional compassionate compassion sensitive empathy brilliant fantastic excellent wonderful superb "
        "outstanding amazing lovely marvellous exemplary impressed star stars ace diamond legend angel angels gem great good gentle gracious polite clear clearly thorough "
        "quick efficient prompt superstar superstars credit commend commended praise compliment compliments impressive sterling godsend reassuring listened pleased happy "
        "delighted glad gold champion fair decent civil"
    ),
    "THANKS": "thank thanks thankyou grateful gratitude appreciate appreciated appreciation diolch cheers ta obliged bless hats kudos",
    "SUGGEST": "suggest suggests suggestion suggestions idea ideas propose proposal recommend awgrym improve improved improvement improvements easier clearer bigger",
    "OURTHING": "form forms website site webpage portal leaflet leaflets line lines hold music envelope envelopes letterhead button menu option automated recorded app survey factsheet ffurflen",
    # -- for an open case
    "EVIDENCE": (
        "evidence document documents documentation record records notes photo photos photograph photographs picture pictures video cctv statement statements witness witnesses "
        "diary log logs recording recordings copy copies certificate receipt receipts bundle chart charts invoice bill screenshot screenshots transcript rota timeline chronology "
        "medical papers tystiolaeth"
    ),
    "SEND": (
        "attached attach attaching attachment enclosed enclose enclosing enclosure send sending sends post posted posting upload uploaded uploading forward forwarded forwarding herewith "
        "scan scanned amgaeaf submit submitted supply provide provided pass"
    ),
    "ASKED": "asked ask asking asks requested request requesting requests wanted wants want needed need needs require required",
    "MOVED": "moved moving move address surname married mobile number changed change changing details bank new temporary",
    "AWAY": "away holiday holidays abroad leave unavailable rearrange reschedule postpone extension extend deadline longer extra till until fortnight hospital recovering",
    "MEETING": "meeting meet interview visit booked slot diary",
    "WITHDRAW": "withdraw withdrawn withdrawing withdrawal discontinue drop close closed closing stop settle settled settlement offer offered accept",
    # -- a general query
    "ASKING": "how what when where who whom which why whether wondering wonder curious enquire enquiring inquire query enquiry question sut pryd pam beth faint",
    "GENERAL": (
        "general generally normally usually typically average hypothetically hypothetical theoretical theoretically theory principle possible allowed eligible entitled permitted "
        "dissertation essay coursework student students lecture research researcher journalist reporter newsletter library librarian charity group talk speaker training "
        "anyone anybody somebody someone people person everyone"
    ),
    "HOURS": "open opening opens close closes shut shuts hours saturday saturdays sunday sundays weekend weekends bank easter christmas oriau agor",
    "COST": "free charge charges cost costs fee fees pay price",
    "FORMAT": "braille print easy audio bsl interpreter language languages polish urdu welsh translation large download",
    "LIMIT": "limit limits limited deadline months twelve cutoff late old expired",
    "DO": "do does can could may might will would is are am has have should must",
    # -- nobody
    "ROBOT": (
        "automatic automated autoreply automatically auto undeliverable undelivered delivery deliver delivered recipient recipients mailbox monitored unmonitored unattended noreply "
        "mailer daemon postmaster failure bounced bounce inbox maternity annual sabbatical office returning autoresponder ticket unsubscribe newsletter webinar "
        "bulletin subscribe subscriber browser preferences receipt displayed read"
    ),
    "SPAM": (
        "prize winner won lottery bitcoin crypto forex casino seo ranking rankings backlinks traffic leads offer offers discount deal deals sale click link verify password "
        "suspended expire expires invoice remittance loan loans beneficiary million dollars usd parcel customs redelivery evri dpd hermes whatsapp investment invest profit "
        "earn earning promo code voucher gift quote demo solutions brand brands agency b2b cleaning toner cartridges solar glazing boiler grant funding delegates conference cpd "
        "tickets seats stand sponsor viagra pills singles followers giveaway iphone ipad congratulations dear customer"
    ),
    "TEST": "test testing tests asdf qwerty ignore",
    # -- a person decides
    "LAW": "foi foia freedom gdpr sar dsar subject access data protection breach breached confidentiality privacy ico commissioner erasure article act rights",
    "VAGUE": "thing things something usual previous earlier stuff whatsit business matter matters",
    "TWO": "two both second secondly another also separate separately besides first firstly third matters plus additionally else addition",
    "MONEY": "money pounds pound compensation refund refunded cash cheque wages savings quid redress remedy",
    "WANT": "want wish hope like expect demand insist prefer please kindly seek",
    "HELP": "help look looked looking into sort deal handle intervene step",
    "TIME": "day days week weeks month months year years hour hours minutes fortnight wks mths yesterday today tomorrow tonight morning afternoon evening night",
    "DATE": (
        "january february march april may june july august september october november december jan feb mar apr jun jul aug sept sep oct nov dec monday tuesday wednesday thursday "
        "friday summer autumn spring winter new"
    ),
    "NUMBER": (
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty hundred "
        "thousand dozen couple several few many half once twice thrice times third fourth fifth sixth"
    ),
}  # fmt: skip
_SMALL: Final = (
    "i me my mine myself we us our you your yours yourselves it its and or but if so because then than as of for to from in on at by with about against after before "
    "since while when was were be been being is are am has have had do does did will would shall should could can may might must get got getting give gave given "
    "made make take took taken taking keep kept go going gone went come came say says saying said know think thought understand see saw seen just only even already "
    "now too very really there here any some all every each more most other own same such caller says rings wants rang yn mae eich chi i ar am"
)
KIND: Final = {
    **{word: f"={word}" for word in _SMALL.split()},
    **{word: f"={kind}" for kind, words in reversed(_KINDS.items()) for word in words.split()},
}  # by a word, what it is: of two kinds the one named first
