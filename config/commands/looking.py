"""`junban check` and `junban doctor`: what is wrong, all at once."""

import argparse
import json

from config.commands import asking


def add_check(verbs: asking.Verbs) -> None:
    check = asking.verb(verbs, "check", _check, "設定を確かめ、誤りをすべて一度に示します")
    asking.add_json(check)


def add_doctor(verbs: asking.Verbs) -> None:
    doctor = asking.verb(verbs, "doctor", _doctor, "動いているこの機械を診断し、直すべきことをすべて示します")
    asking.add_data(doctor)
    asking.add_json(doctor)
    doctor.add_argument("--acl", action="store_true", help="ストアの利用者の定義（ACL）を示して終わります")
    doctor.add_argument("--sbom", action="store_true", help="部品の一覧（CycloneDX の JSON）を示して終わります")


def _check(asked: argparse.Namespace) -> int:
    from config.check import find_faults

    faults = find_faults()
    if asked.json:
        told = [fault.as_fields() for fault in faults]
        asking.say(json.dumps({"ok": not faults, "faults": told}, ensure_ascii=False))
    elif faults:
        asking.say("\n".join(str(fault) for fault in faults))
    else:
        asking.say("設定に誤りはありません。")
    return asking.FAILURE if faults else 0


def _doctor(asked: argparse.Namespace) -> int:
    machine, office = asking.settings()
    from config.doctor import examine
    from config.sbom import bill_of_materials
    from hub.store.access import acl_lines

    if asked.acl:
        asking.say("\n".join(acl_lines(office.key)))
        return 0
    if asked.sbom:
        asking.say(json.dumps(bill_of_materials(), ensure_ascii=False, indent=1))
        return 0
    looks = examine(machine, office, asked.data)
    is_well = not any(look.faults for look in looks)
    if asked.json:
        told = {"ok": is_well, "looks": {look.name: look.faults for look in looks}}
        told["seen"] = {look.name: look.seen for look in looks}
        asking.say(json.dumps(told, ensure_ascii=False))
        return 0 if is_well else asking.FAILURE
    for look in looks:
        asking.say(f"{'×' if look.faults else '○'} {look.name}")
        for line in (*look.faults, *(f"・{seen}" for seen in look.seen)):
            asking.say(f"   {line}")
    return 0 if is_well else asking.FAILURE
